// The list of models: the rest of its rows, search, filters and order. The address keeps what was chosen.
// @ts-check

(() => {
  /** Rows that are put on the page at a time: few enough that no key press has to wait for them. */
  const STEP = 20;
  const DAY_MS = 86_400_000;

  /**
   * @typedef {{ short: string, id: string, license: string, size: string, bytes: number, share: number,
   *   isFat: boolean, version: string, updated: string, text: string }} Row
   */

  const list = document.querySelector('[data-rows]');
  const template = document.querySelector('template[data-row]');
  const form = document.querySelector('[data-filters]');
  const count = document.querySelector('[data-count]');
  const none = document.querySelector('[data-none]');
  const more = document.querySelector('[data-more]');
  if (
    !(list instanceof HTMLElement) ||
    !(template instanceof HTMLTemplateElement) ||
    !(form instanceof HTMLFormElement) ||
    !(count instanceof HTMLElement) ||
    !(none instanceof HTMLElement) ||
    !(more instanceof HTMLElement)
  )
    return;

  /** @type {Row[]} */
  let rows = [];
  /** @type {Row[]} */
  let found = [];
  let shown = list.children.length;

  // Behind the first paint: until then the rows of the page are enough.
  const script = document.createElement('script');
  script.src = 'assets/rows.js';
  script.onload = () => {
    /** @type {[string, string, string, string, number, number, number, string, string][]} */
    const data = /** @type {any} */ (window).weighbridgeRows;
    rows = data.map(([short, id, license, size, bytes, share, isFat, version, updated]) => ({
      short,
      id,
      license,
      size,
      bytes,
      share,
      isFat: isFat === 1,
      version,
      updated,
      text: `${id} hf-${short} ${license}`.toLowerCase(),
    }));
    found = rows;
    restore();
    if (isAsked()) apply();
    else showMoreButton();
    root.dataset.ready = '';
  };
  const root = document.documentElement;
  document.head.append(script);

  const nearEnd = new IntersectionObserver(
    entries => {
      if (entries.some(entry => entry.isIntersecting) && rows.length > 0 && shown < found.length) show();
    },
    { rootMargin: '600px' },
  );

  /** @param {string} name */
  function value(name) {
    const field = /** @type {HTMLFormElement} */ (form).elements.namedItem(name);
    return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value : '';
  }

  const NAMES = ['q', 'license', 'variant', 'size', 'age', 'sort'];

  function isAsked() {
    return NAMES.some(name => value(name) !== '');
  }

  function apply() {
    const words = value('q').toLowerCase().split(/\s+/).filter(Boolean);
    const license = value('license');
    const variant = value('variant');
    const [least = '', most = ''] = value('size').split('-');
    const since = value('age') === '' ? '' : dateBefore(Number(value('age')));
    found = rows.filter(
      row =>
        words.every(word => row.text.includes(word)) &&
        (license === '' || (row.license || 'none') === license) &&
        (variant === '' || row.isFat === (variant === 'fat')) &&
        (least === '' || row.bytes >= Number(least)) &&
        (most === '' || row.bytes < Number(most)) &&
        row.updated >= since,
    );
    const order = ORDERS[value('sort')];
    if (order !== undefined) found = found.toSorted(order);
    /** @type {HTMLElement} */ (list).replaceChildren();
    shown = 0;
    show();
    say();
  }

  /** @type {Record<string, ((a: Row, b: Row) => number) | undefined>} */
  const ORDERS = {
    new: (a, b) => (a.updated < b.updated ? 1 : a.updated > b.updated ? -1 : 0),
    small: (a, b) => a.bytes - b.bytes,
    large: (a, b) => b.bytes - a.bytes,
  };

  /** @param {number} days */
  function dateBefore(days) {
    return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
  }

  function show() {
    const fragment = document.createDocumentFragment();
    for (const row of found.slice(shown, shown + STEP)) fragment.append(drawn(row));
    shown = Math.min(found.length, shown + STEP);
    /** @type {HTMLElement} */ (list).append(fragment);
    showMoreButton();
    // An observer tells of changes only: who has scrolled on by then has the button in sight before and after.
    nearEnd.unobserve(/** @type {HTMLElement} */ (more));
    nearEnd.observe(/** @type {HTMLElement} */ (more));
  }

  function showMoreButton() {
    const rest = found.length - shown;
    /** @type {HTMLElement} */ (more).hidden = rest <= 0;
    /** @type {HTMLElement} */ (more).textContent = `Show ${Math.min(STEP, rest)} more of ${rest}`;
  }

  /** @param {Row} row */
  function drawn(row) {
    const copy = /** @type {DocumentFragment} */ (
      /** @type {HTMLTemplateElement} */ (template).content.cloneNode(true)
    );
    /** @param {string} name */
    const part = name => /** @type {HTMLElement} */ (copy.querySelector(`[data-f=${name}]`));
    const slash = row.id.indexOf('/') + 1;
    /** @type {HTMLAnchorElement} */ (part('link')).href = `models/${row.short}.html`;
    part('org').textContent = row.id.slice(0, slash);
    part('name').textContent = row.id.slice(slash);
    part('short').textContent = `hf-${row.short}`;
    part('license').textContent = row.license || 'no license named';
    part('fat').hidden = !row.isFat;
    part('version').textContent = row.version;
    part('size').textContent = row.size || '–';
    part('share').hidden = row.share === 0;
    part('share').style.setProperty('--share', `${row.share}%`);
    part('updated').textContent = row.updated;
    part('updated').setAttribute('datetime', row.updated);
    return copy;
  }

  function say() {
    const total = rows.length === 1 ? '1 model' : `${rows.length.toLocaleString('en')} models`;
    const text = found.length === rows.length ? total : `${found.length.toLocaleString('en')} of ${total}`;
    /** @type {HTMLElement} */ (count).textContent = text;
    /** @type {HTMLElement} */ (none).hidden = found.length > 0;
  }

  function remember() {
    const chosen = new URLSearchParams();
    for (const name of NAMES) if (value(name) !== '') chosen.set(name, value(name));
    const text = chosen.toString();
    try {
      history.replaceState(null, '', text === '' ? location.pathname : `#${text}`);
    } catch {
      // A browser may not allow it for a file; the list works without.
    }
  }

  function restore() {
    const chosen = new URLSearchParams(location.hash.slice(1));
    for (const [name, text] of chosen) {
      const field = /** @type {HTMLFormElement} */ (form).elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = text;
    }
  }

  form.addEventListener('input', () => {
    if (rows.length === 0) return;
    apply();
    remember();
  });
  form.addEventListener('submit', event => event.preventDefault());
  more.addEventListener('click', () => {
    const next = shown;
    show();
    // Who got here with the keyboard goes on with the first new row.
    const link = list.children[next]?.querySelector('a');
    if (link instanceof HTMLElement) link.focus({ preventScroll: true });
  });
  document.querySelector('[data-clear]')?.addEventListener('click', () => {
    form.reset();
    apply();
    remember();
    document.getElementById('q')?.focus();
  });
  document.addEventListener('keydown', event => {
    if (event.key !== '/' || event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey)
      return;
    event.preventDefault();
    document.getElementById('q')?.focus();
  });
  nearEnd.observe(more);
})();
