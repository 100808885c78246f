// Opens pages that stackctl writes in a headless Chromium, and checks what no parser sees: that nothing is fetched, that
// what a template says is text, and that folding, filtering and moving work, with scripts and without. playwright-core is
// found through NODE_PATH.
//
//     node .ci/pages.js CHROMIUM FILE.html...
//
// The pages are those of the tests, which name styles and scripts as {{file}} and are put together here.
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");

/** What a sample says that would run, if it were anything but text. */
const HOSTILE = "</script><script>hostile=1</script>";

/** Where the styles and scripts of pages are. */
const PARTS = path.resolve(__dirname, "../deployer/src/ui/page");

let checked = 0;
const wrong = [];
let name = "";

function check(what, holds) {
  checked += 1;
  if (!holds) wrong.push(`${name}: ${what}`);
}

/** Writes a page with its styles and scripts into a directory, and returns the file. */
function whole(file, directory) {
  const page = fs.readFileSync(file, "utf8");
  const full = page.replaceAll(/\{\{([\w.]+)\}\}\n/g, (_, part) => fs.readFileSync(path.join(PARTS, part), "utf8"));
  const written = path.join(directory, path.basename(file));
  fs.writeFileSync(written, full);
  return written;
}

/** Opens a page, and fails for whatever it asks for or complains of. */
async function open(browser, file, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const own = pathToFileURL(file).href;
  page.on("console", (message) => check(`it says ${message.text()}`, false));
  page.on("pageerror", (error) => check(`it fails: ${error.message}`, false));
  page.on("dialog", (dialog) => check(`it asks ${dialog.message()}`, false));
  page.on("request", (request) => check(`it asks for ${request.url()}`, request.url().split("#")[0] === own));
  await page.goto(own);
  return page;
}

/** Counts what is seen; parts of drawings that are not have no size. */
const seen = (locator) =>
  locator.evaluateAll((all) => all.filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 0).length);

async function basics(browser, file) {
  const page = await open(browser, file);
  check("nothing hostile ran", (await page.evaluate(() => window.hostile)) === undefined);
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await back();
  await page.emulateMedia({ colorScheme: "dark" });
  check("it is dark where that is wished", (await back()) !== light);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  check("it is light on paper", (await back()) === light);
  await page.emulateMedia({ media: "screen", colorScheme: "light" });
  await page.setViewportSize({ width: 360, height: 740 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  check(`it fits a narrow window: ${wide}`, wide <= 360);
  await page.context().close();
}

async function changes(browser, file) {
  for (const javaScriptEnabled of [true, false]) {
    const options = { javaScriptEnabled, viewport: { width: 1200, height: 900 } };
    const page = await open(browser, file, options);
    const before = name;
    name += javaScriptEnabled ? "" : " without scripts";
    check("what is hostile is shown", (await page.innerText("body")).includes(HOSTILE));
    const rows = page.locator("li.change");
    check("there are changes", (await rows.count()) > 5);
    // Each grade can be left out, and comes back.
    for (const box of await page.locator(".grades input").all()) {
      const grade = (await box.getAttribute("id")).replace("f-", "");
      const of = page.locator(`li.change.g-${grade}`);
      const all = await of.count();
      check(`${grade} is counted`, (await box.locator("xpath=..").innerText()).includes(String(all)));
      check(`${grade} is shown`, (await seen(of)) === all);
      await box.uncheck();
      check(`${grade} is left out`, (await seen(of)) === 0 && (await seen(rows)) > 0);
      await box.check();
      check(`${grade} is back`, (await seen(of)) === all);
    }
    // A section closes and opens.
    const stack = page.locator("details.stack").first();
    const inner = stack.locator("li.change").first();
    await stack.locator("> summary").click();
    check("a stack closes", !(await inner.isVisible()));
    await stack.locator("> summary").click();
    check("a stack opens", await inner.isVisible());
    // The graph is there, and its nodes lead to what changes.
    const node = page.locator(".drawing svg a").first();
    const box = await node.boundingBox();
    check("the graph is drawn", box !== null && box.width > 40 && box.height > 10);
    check("the graph has a legend", (await page.locator(".drawing .legend text").count()) > 3);
    const target = await node.getAttribute("href");
    await node.locator(".label").click();
    check("a node leads to its change", page.url().endsWith(target) && (await page.locator(target).isVisible()));
    // On paper everything is open.
    await page.emulateMedia({ media: "print" });
    if (!javaScriptEnabled) {
      const bodies = page.locator("li.change .body");
      const high = await bodies.evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height > 0).length);
      check("everything is open on paper", high === (await bodies.count()));
    }
    name = before;
    await page.context().close();
  }
  const page = await open(browser, file, { viewport: { width: 1200, height: 900 } });
  const open_ = () => page.locator("details:not([open])").count();
  const first = await open_();
  check("something is closed at first", first > 0);
  await page.locator("button.fold").click();
  check("everything opens", (await open_()) === 0);
  await page.locator("button.fold").click();
  check("everything closes", (await page.locator("details[open]").count()) === 0);
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  check("everything is opened to be printed", (await open_()) === 0);
  await page.context().close();
}

async function drawing(browser, file) {
  const page = await open(browser, file, { viewport: { width: 1200, height: 900 } });
  const svg = page.locator(".drawing svg");
  const view = () => svg.getAttribute("viewBox");
  const center = async () => {
    const box = await svg.boundingBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const whole = await view();
  const width = (box) => Number(box.split(" ")[2]);
  await page.mouse.move(...(await center()));
  await page.mouse.wheel(0, -300);
  const nearer = await view();
  check("the wheel enlarges", width(nearer) < width(whole));
  const [x, y] = await center();
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 80, y + 40, { steps: 4 });
  await page.mouse.up();
  const moved = await view();
  check("it can be dragged", moved !== nearer && width(moved) === width(nearer));
  await page.getByRole("button", { name: "Show all of it" }).click();
  check("all of it is shown again", (await view()) === whole);
  await page.locator(".drawing").focus();
  await page.keyboard.press("+");
  check("a key enlarges", width(await view()) < width(whole));
  await page.keyboard.press("0");
  check("a key shows all again", (await view()) === whole);
  await page.context().close();

  for (const javaScriptEnabled of [true, false]) {
    const page = await open(browser, file, { javaScriptEnabled });
    const count = async () => [
      await seen(page.locator("svg g.c-new:not(.legend *)")),
      await seen(page.locator("svg g.c-removed:not(.legend *)")),
      await seen(page.locator(".badge")),
    ];
    const [arrives, goes, badges] = await count();
    check("what arrives and what goes is drawn", arrives > 0 && goes > 0 && badges > 0);
    await page.locator("#v-before").check();
    check("what arrives was not there before", String(await count()) === String([0, goes, 0]));
    await page.locator("#v-after").check();
    check("what goes is not there after", String(await count()) === String([arrives, 0, 0]));
    await page.context().close();
  }
}

(async () => {
  const [executablePath, ...files] = process.argv.slice(2);
  const browser = await chromium.launch({
    executablePath,
    // In a container there is no sandbox to be had; and nothing is to be looked up on the network.
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "pages-"));
  for (const file of files) {
    name = path.basename(file);
    const full = whole(file, directory);
    await basics(browser, full);
    const page = await open(browser, full);
    const has = async (selector) => (await page.locator(selector).count()) > 0;
    const kinds = [await has(".grades"), await has(".drawing[data-fills]")];
    await page.context().close();
    if (kinds[0]) await changes(browser, full);
    if (kinds[1]) await drawing(browser, full);
  }
  console.log(`Chromium ${browser.version()}: ${files.length} pages, ${checked} checks, ${wrong.length} wrong`);
  await browser.close();
  fs.rmSync(directory, { recursive: true });
  for (const line of wrong) console.error(line);
  process.exit(wrong.length || !checked ? 1 : 0);
})();
