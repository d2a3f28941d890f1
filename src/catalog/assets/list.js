// The list of models: the rest of its rows, search, filters and order. The address keeps what was chosen.
// @ts-check

(() => {
  /** Rows that are put on the page at a time: few enough that no key press has to wait for them. */
  const STEP = 20;
  const DAY_MS = 86_400_000;

  /**
   * As `ListRow` in list-row.ts, and what is searched.
   * @typedef {{ short: string, id: string, license: string, task: string, parameters: number, parametersText: string,
   *   bytes: number, sizeText: string, precision: string, quantization: string, context: number, contextText: string,
   *   gpuGB: number, gpuTotalGB: number, gpuText: string, variants: string, version: string, access: string,
   *   critical: number, high: number, fit: string, isSigned: boolean, languages: string, updated: string, text: string }} Row
   */

  const root = document.documentElement;
  const list = document.querySelector('[data-rows]');
  const template = document.querySelector('template[data-row]');
  const form = document.querySelector('[data-filters]');
  const count = document.querySelector('[data-count]');
  const none = document.querySelector('[data-none]');
  const more = document.querySelector('[data-more]');
  const active = document.querySelector('[data-active]');
  const moreFilters = document.querySelector('[data-more-filters]');
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
    /** @type {{ fields: string[], rows: unknown[][] }} */
    const data = /** @type {any} */ (window).weighbridgeRows;
    rows = data.rows.map(values => {
      const row = /** @type {Row} */ (
        Object.fromEntries(data.fields.map((field, index) => [field, values[index]]))
      );
      row.text = `${row.id} hf-${row.short} ${row.license} ${row.task} ${row.precision}`.toLowerCase();
      return row;
    });
    found = rows;
    restore();
    if (isAsked()) apply();
    else showMoreButton();
    root.dataset.ready = '';
  };
  document.head.append(script);

  const nearEnd = new IntersectionObserver(
    entries => {
      if (entries.some(entry => entry.isIntersecting) && rows.length > 0 && shown < found.length) show();
    },
    { rootMargin: '600px' },
  );

  const fields = [...form.elements].filter(
    field => field instanceof HTMLInputElement || field instanceof HTMLSelectElement,
  );

  /** @param {string} name */
  function value(name) {
    return fields.find(field => field.name === name)?.value ?? '';
  }

  function isAsked() {
    return fields.some(field => field.value !== '');
  }

  /**
   * What a choice asks of a row, by the name of its field.
   * @type {Record<string, (row: Row, chosen: string) => boolean>}
   */
  const TESTS = {
    task: (row, chosen) => row.task === chosen,
    parameters: (row, chosen) => row.parameters > 0 && isWithin(row.parameters, chosen),
    quantization: (row, chosen) => row.quantization === chosen,
    context: (row, chosen) => row.context >= Number(chosen),
    gpu: (row, chosen) =>
      chosen === 'many'
        ? row.gpuGB === 0 && row.gpuTotalGB > 0
        : row.gpuGB > 0 && row.gpuGB <= Number(chosen),
    size: (row, chosen) => isWithin(row.bytes, chosen),
    license: (row, chosen) => (row.license || 'none') === chosen,
    variant: (row, chosen) => row.variants.split(' ').includes(chosen),
    access: (row, chosen) => (row.access || 'open') === chosen,
    scan: (row, chosen) =>
      chosen === 'none' ? row.critical < 0 : chosen === 'clean' ? row.critical === 0 : row.critical > 0,
    fit: (row, chosen) => row.fit === chosen,
    signed: (row, chosen) => row.isSigned === (chosen === 'yes'),
    language: (row, chosen) => row.languages.split(' ').includes(chosen),
    age: (row, chosen) => row.updated >= dateBefore(Number(chosen)),
  };

  /**
   * @param {number} number
   * @param {string} range `4-16`; an end that is not there has no bound.
   */
  function isWithin(number, range) {
    const [least = '', most = ''] = range.split('-');
    return number >= Number(least) && (most === '' || number < Number(most));
  }

  function apply() {
    const words = value('q').toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = fields.flatMap(({ name, value: text }) => {
      const test = TESTS[name];
      return test === undefined || text === '' ? [] : [/** @param {Row} row */ row => test(row, text)];
    });
    found = rows.filter(
      row => words.every(word => row.text.includes(word)) && chosen.every(isChosen => isChosen(row)),
    );
    order();
    /** @type {HTMLElement} */ (list).replaceChildren();
    shown = 0;
    show();
    say(chosen.length, chosen.length > 0 || words.length > 0);
  }

  /**
   * What each column is in order by. Null is not known, and comes last both ways.
   * @type {Record<string, (row: Row) => string | number | null>}
   */
  const KEYS = {
    name: row => row.id.toLowerCase(),
    task: row => row.task || null,
    parameters: row => row.parameters || null,
    precision: row => row.precision || null,
    context: row => row.context || null,
    gpu: row => row.gpuTotalGB || null,
    size: row => row.bytes || null,
    license: row => row.license || null,
    images: row => row.variants,
    checks: row => (row.critical < 0 ? null : row.critical * 10_000 + row.high),
    updated: row => row.updated,
  };

  function order() {
    const sort = value('sort');
    const isDown = sort.startsWith('-');
    const name = isDown ? sort.slice(1) : sort;
    const key = KEYS[name];
    if (key !== undefined) {
      const keyed = found.map(row => ({ row, key: key(row) }));
      keyed.sort((a, b) => {
        if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
        return (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) * (isDown ? -1 : 1);
      });
      found = keyed.map(({ row }) => row);
    }
    for (const header of document.querySelectorAll('[data-column]')) {
      if (!(header instanceof HTMLElement)) continue;
      const isHere = header.dataset.column === (name || 'name');
      if (isHere) header.setAttribute('aria-sort', isDown ? 'descending' : 'ascending');
      else header.removeAttribute('aria-sort');
    }
  }

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
    part('access').hidden = row.access === '';
    part('access').textContent = row.access;
    part('task').textContent = row.task || '–';
    part('parameters').textContent = row.parametersText || '–';
    part('size').textContent = row.sizeText;
    part('precision').textContent = row.precision || '–';
    part('context').textContent = row.contextText || '–';
    part('gpu').textContent = row.gpuText || '–';
    part('license').textContent = row.license || '–';
    if (row.license !== '') part('license').title = row.license;
    for (const variant of row.variants.split(' ')) {
      part('variants').append(marked(`chip chip-${variant === 'slim' ? 'slim' : 'fat'}`, variant), ' ');
    }
    part('version').textContent = row.version;
    for (const [kind, words] of checksOf(row))
      part('checks').append(marked(`check check-${kind}`, words), ' ');
    part('updated').textContent = row.updated;
    part('updated').setAttribute('datetime', row.updated);
    return copy;
  }

  /**
   * As `checkWords` in list-row.ts.
   * @param {Row} row
   * @returns {[kind: string, words: string][]}
   */
  function checksOf({ isSigned, critical, high, fit }) {
    /** @type {[string, string][]} */
    const checks = isSigned ? [['good', 'signed']] : [];
    if (critical > 0) checks.push(['bad', `${critical} critical`]);
    else if (high > 0) checks.push(['note', `${high} high`]);
    else if (critical === 0) checks.push(['good', 'scanned']);
    else checks.push(['none', 'not scanned']);
    if (fit === 'warn') checks.push(['bad', 'may not run']);
    if (fit === 'ok') checks.push(['good', 'fits']);
    return checks;
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  function marked(name, text) {
    const element = document.createElement('span');
    element.className = name;
    element.textContent = text;
    return element;
  }

  /**
   * @param {number} filters
   * @param {boolean} isNarrowed
   */
  function say(filters, isNarrowed) {
    const total = rows.length === 1 ? '1 model' : `${rows.length.toLocaleString('en')} models`;
    const text = found.length === rows.length ? total : `${found.length.toLocaleString('en')} of ${total}`;
    /** @type {HTMLElement} */ (count).textContent = text;
    /** @type {HTMLElement} */ (none).hidden = found.length > 0;
    for (const button of document.querySelectorAll('.list-bar [data-clear]'))
      if (button instanceof HTMLElement) button.hidden = !isNarrowed;
    if (active instanceof HTMLElement) {
      active.hidden = filters === 0;
      active.textContent = String(filters);
    }
    for (const field of fields) field.toggleAttribute('data-on', field.value !== '' && field.name in TESTS);
  }

  function remember() {
    const chosen = new URLSearchParams();
    for (const field of fields) if (field.value !== '') chosen.set(field.name, field.value);
    const text = chosen.toString();
    try {
      history.replaceState(null, '', text === '' ? location.pathname : `#${text}`);
    } catch {
      // A browser may not allow it for a file; the list works without.
    }
  }

  function restore() {
    const chosen = new URLSearchParams(location.hash.slice(1));
    for (const field of fields) {
      const text = chosen.get(field.name);
      if (text !== null) field.value = text;
      // A choice that is not offered any more chooses nothing.
      if (field instanceof HTMLSelectElement && field.selectedIndex === -1) field.value = '';
    }
  }

  function changed() {
    if (rows.length === 0) return;
    apply();
    remember();
  }

  // A header is a button where there is something to press it for.
  for (const header of document.querySelectorAll('[data-column]')) {
    if (!(header instanceof HTMLElement)) continue;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'sort';
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener('click', () => {
      const name = header.dataset.column ?? '';
      const field = fields.find(one => one.name === 'sort');
      if (field === undefined) return;
      const now = field.value || 'name';
      field.value = now === name ? `-${name}` : now === `-${name}` ? name : name;
      changed();
    });
  }

  form.addEventListener('input', changed);
  form.addEventListener('submit', event => event.preventDefault());
  addEventListener('hashchange', () => {
    form.reset();
    restore();
    apply();
  });
  moreFilters?.addEventListener('click', () => {
    const isOpen = moreFilters.getAttribute('aria-expanded') === 'true';
    moreFilters.setAttribute('aria-expanded', String(!isOpen));
  });
  more.addEventListener('click', () => {
    const next = shown;
    show();
    // Who got here with the keyboard goes on with the first new row.
    const link = list.children[next]?.querySelector('a');
    if (link instanceof HTMLElement) link.focus({ preventScroll: true });
  });
  for (const button of document.querySelectorAll('[data-clear]')) {
    button.addEventListener('click', () => {
      const sort = value('sort');
      form.reset();
      const field = fields.find(one => one.name === 'sort');
      if (field !== undefined) field.value = sort;
      changed();
      document.getElementById('q')?.focus();
    });
  }
  document.addEventListener('keydown', event => {
    const { target } = event;
    const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    document.getElementById('q')?.focus();
  });
  nearEnd.observe(more);
})();
