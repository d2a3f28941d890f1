// What every page does: a theme to choose, things to copy, tabs.
// @ts-check

(() => {
  const root = document.documentElement;
  const announcer = document.querySelector('[data-announce]');

  /** @param {string} text */
  function announce(text) {
    if (announcer === null) return;
    announcer.textContent = '';
    // A reader speaks a change, so the same words twice need one in between.
    setTimeout(() => {
      announcer.textContent = text;
    }, 50);
  }

  document.querySelector('[data-theme-toggle]')?.addEventListener('click', () => {
    const isDark =
      root.dataset.theme === undefined
        ? matchMedia('(prefers-color-scheme: dark)').matches
        : root.dataset.theme === 'dark';
    root.dataset.theme = isDark ? 'light' : 'dark';
    announce(isDark ? 'Light colors' : 'Dark colors');
    try {
      localStorage.setItem('theme', root.dataset.theme);
    } catch {
      // It is not remembered then.
    }
  });

  /** @param {string} text */
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Pages without TLS and some that are opened as files have no clipboard of their own.
      const area = document.createElement('textarea');
      area.value = text;
      area.style.position = 'fixed';
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
  }

  document.addEventListener('click', async event => {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest('[data-copy], [data-copy-code]');
    if (!(button instanceof HTMLElement)) return;
    const text = button.dataset.copy ?? button.closest('.code')?.querySelector('code')?.textContent ?? '';
    await copy(text);
    button.dataset.copied = '';
    announce('Copied');
    setTimeout(() => delete button.dataset.copied, 1600);
  });

  for (const list of document.querySelectorAll('[role=tablist]')) {
    const tabs = [...list.querySelectorAll('[role=tab]')].filter(tab => tab instanceof HTMLElement);
    /** @param {HTMLElement} chosen */
    const choose = chosen => {
      for (const tab of tabs) {
        const isChosen = tab === chosen;
        tab.setAttribute('aria-selected', String(isChosen));
        tab.tabIndex = isChosen ? 0 : -1;
        const panel = document.getElementById(tab.getAttribute('aria-controls') ?? '');
        if (panel !== null) panel.hidden = !isChosen;
      }
    };
    for (const tab of tabs) tab.addEventListener('click', () => choose(tab));
    list.addEventListener('keydown', event => {
      if (!(event instanceof KeyboardEvent)) return;
      const here = tabs.indexOf(/** @type {HTMLElement} */ (document.activeElement));
      const next = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tabs.length - 1 }[event.key];
      const tab = next === undefined ? undefined : tabs[(next + tabs.length) % tabs.length];
      if (tab === undefined) return;
      event.preventDefault();
      choose(tab);
      tab.focus();
    });
    if (tabs[0] !== undefined) choose(tabs[0]);
  }

  // Another registry has the same image under another name.
  const repository = document.querySelector('[data-repository]');
  if (repository instanceof HTMLSelectElement) {
    let shown = repository.value;
    repository.addEventListener('change', () => {
      for (const code of document.querySelectorAll('[data-run] code')) {
        code.textContent = (code.textContent ?? '').replaceAll(shown, repository.value);
      }
      shown = repository.value;
      announce(`Commands for ${shown}`);
    });
  }
})();
