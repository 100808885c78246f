// Shows the number that the API answers. `config.json` says where the API is: the output `ApiUrl` of the stack
// `visitors-api`, and the value of the API key whose id is the output `ApiKeyId`.

const visits = document.querySelector("#visits");

async function json(url, headers = {}) {
  const response = await fetch(url, { headers });
  if (!response.ok) {
    throw new Error(`${url} answered ${response.status}`);
  }
  return response.json();
}

async function show() {
  const { apiUrl, apiKey } = await json("config.json");
  if (!apiUrl || !apiKey) {
    visits.textContent = "The number is not shown: config.json does not say yet where it is counted.";
    return;
  }
  const { userCount } = await json(new URL("count/default", apiUrl), { "X-Api-Key": apiKey });
  const count = document.createElement("strong");
  count.className = "count";
  count.textContent = userCount.toLocaleString();
  visits.replaceChildren(count, userCount === 1 ? " visit" : " visits");
}

show().catch((error) => {
  console.error(error);
  visits.textContent = "The number cannot be read just now.";
});
