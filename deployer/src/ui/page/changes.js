// Everything can be opened and closed at once, and what is printed is open.
const folds = [...document.querySelectorAll("details")];
const fold = document.createElement("button");
fold.type = "button";
fold.className = "fold";
const all = () => folds.every((one) => one.open);
const say = () => {
  fold.textContent = all() ? "Close all" : "Open all";
};
fold.addEventListener("click", () => {
  const open = !all();
  for (const one of folds) one.open = open;
});
for (const one of folds) one.addEventListener("toggle", say);
say();
document.querySelector(".grades").append(fold);
let closed = [];
addEventListener("beforeprint", () => {
  closed = folds.filter((one) => !one.open);
  for (const one of closed) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of closed) one.open = false;
});
