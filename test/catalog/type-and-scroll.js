// Runs in the page. Types a search letter by letter, tries every filter, and scrolls to the end of the list.
// @ts-check

// biome-ignore lint/correctness/noUnusedVariables: the test calls it by its name
async function typeAndScroll() {
  /** @type {number[]} */
  const tasks = [];
  const observer = new PerformanceObserver(list => {
    for (const entry of list.getEntries()) tasks.push(entry.duration);
  });
  observer.observe({ entryTypes: ['longtask'] });
  /** @param {number} ms */
  const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
  let longest = 0;
  /**
   * @param {string} id
   * @param {string} value
   */
  async function change(id, value) {
    const field = /** @type {HTMLInputElement} */ (document.getElementById(id));
    field.value = value;
    const start = performance.now();
    field.dispatchEvent(new Event('input', { bubbles: true }));
    document.body.getBoundingClientRect();
    longest = Math.max(longest, performance.now() - start);
    await pause(30);
  }
  const words = 'llama-3.1 instruct';
  for (let end = 1; end <= words.length; end++) await change('q', words.slice(0, end));
  for (let end = words.length; end >= 0; end--) await change('q', words.slice(0, end));
  for (const id of ['license', 'variant', 'size', 'age', 'sort']) {
    const select = /** @type {HTMLSelectElement} */ (document.getElementById(id));
    for (const option of [...select.options].reverse()) await change(id, option.value);
  }
  for (let step = 0; step < 60; step++) {
    scrollTo(0, document.body.scrollHeight);
    await pause(25);
  }
  await pause(200);
  observer.disconnect();
  return { longest, tasks };
}
