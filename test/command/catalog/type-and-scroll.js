// Runs in the page. Types a search letter by letter, tries every filter, scrolls to the end of the list, and counts
// what the list did for it.
// @ts-check

// biome-ignore lint/correctness/noUnusedVariables: the test calls it by its name
async function typeAndScroll() {
  /** @param {number} ms */
  const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
  const work = { changes: 0, scrolls: 0, mostRowsAtOnce: 0 };
  // An observer is called once for each task that changed something.
  new MutationObserver(records => {
    const added = records.reduce((sum, record) => sum + record.addedNodes.length, 0);
    work.mostRowsAtOnce = Math.max(work.mostRowsAtOnce, added);
  }).observe(/** @type {HTMLElement} */ (document.querySelector('[data-rows]')), { childList: true });
  /**
   * @param {string} id
   * @param {string} value
   */
  async function change(id, value) {
    const field = /** @type {HTMLInputElement} */ (document.getElementById(id));
    field.value = value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    work.changes++;
    await pause(30);
  }
  const words = 'llama-3.1 instruct';
  for (let end = 1; end <= words.length; end++) await change('q', words.slice(0, end));
  for (let end = words.length; end >= 0; end--) await change('q', words.slice(0, end));
  for (const id of [
    'task',
    'parameters',
    'context',
    'gpu',
    'license',
    'variant',
    'size',
    'scan',
    'age',
    'sort',
  ]) {
    const select = /** @type {HTMLSelectElement} */ (document.getElementById(id));
    for (const option of [...select.options].reverse()) await change(id, option.value);
  }
  for (let step = 0; step < 60; step++) {
    scrollTo(0, document.body.scrollHeight);
    work.scrolls++;
    await pause(25);
  }
  await pause(200);
  return work;
}
