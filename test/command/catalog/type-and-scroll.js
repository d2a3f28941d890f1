// Runs in the page. Types a search letter by letter, tries every filter, and scrolls to the end of the list.
// @ts-check

// biome-ignore lint/correctness/noUnusedVariables: the test calls it by its name
async function typeAndScroll() {
  /** @param {number} ms */
  const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
  /**
   * @param {string} id
   * @param {string} value
   */
  async function change(id, value) {
    const field = /** @type {HTMLInputElement} */ (document.getElementById(id));
    field.value = value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
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
    await pause(25);
  }
  await pause(200);
}
