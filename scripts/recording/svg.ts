import { parseStyledLine, type Span } from './styled-line.ts';

export interface Screen {
  readonly text: string;
  /** When it appears, in milliseconds since the start. */
  readonly atMs: number;
}

const CHARACTER_WIDTH = 8.43;
const LINE_HEIGHT = 19;
const FONT_SIZE = 14;
const PADDING = 16;
const BAR_HEIGHT = 34;
/** How long the poster is shown before the recording starts. */
const POSTER_MS = 2000;
/** How long the last screen stays before the poster is shown again. */
const REST_MS = 4000;

const BACKGROUND = '#16181d';
const FOREGROUND = '#d6dae0';
const COLORS = [
  ...['#4b5263', '#ef6f78', '#8ccf7e', '#e5c07b', '#6cb6ff', '#c69df2', '#5bc8c8', '#d6dae0'],
  ...['#7d8590', '#ff8f97', '#a6e39a', '#f2d798', '#93cbff', '#dabdf8', '#86dede', '#ffffff'],
];

/**
 * Returns an SVG that plays the screens in a loop. Lines that appear more than once are drawn once and reused. Each screen is visible for
 * its part of the whole time by a CSS animation. `poster` is the index of the screen that says most: the loop begins with it, for viewers
 * that show the first frame alone, and it is what is shown without animation.
 */
export function recordingSvg(
  screens: readonly Screen[],
  {
    columns,
    rows,
    title,
    poster,
  }: { readonly columns: number; readonly rows: number; readonly title: string; readonly poster: number },
): string {
  const width = Math.ceil(columns * CHARACTER_WIDTH + 2 * PADDING);
  const height = rows * LINE_HEIGHT + 2 * PADDING + BAR_HEIGHT;
  const totalMs = POSTER_MS + (screens.at(-1)?.atMs ?? 0) + REST_MS;
  const lines = new Map<string, string>();
  const groups: string[] = [];
  const rules: string[] = [];
  screens.forEach(({ text, atMs }, index) => {
    const startMs = POSTER_MS + atMs;
    const next = screens[index + 1];
    const endMs = next === undefined ? totalMs : POSTER_MS + next.atMs;
    const stretches = [...(index === poster ? [[0, POSTER_MS] as const] : []), [startMs, endMs] as const];
    groups.push(`<g class="s s${index}">${uses(text, lines)}</g>`);
    rules.push(screenRule(index, stretches, totalMs));
  });
  const defs = [...lines.values()].join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}">
<title>${escapeXml(title)}</title>
<style>
text{font:${FONT_SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:${FOREGROUND};white-space:pre}
.b{font-weight:700}.d{opacity:.62}
${COLORS.map((color, index) => `.c${index}{fill:${color}}`).join('')}
.s{visibility:hidden;animation:${totalMs.toFixed(0)}ms step-end infinite}
.s${poster}{visibility:visible}
${rules.join('\n')}
@media (prefers-reduced-motion:reduce){svg .s{animation:none}}
</style>
<rect width="${width}" height="${height}" rx="10" fill="${BACKGROUND}"/>
<circle cx="20" cy="19" r="6" fill="#ff5f57"/><circle cx="40" cy="19" r="6" fill="#febc2e"/><circle cx="60" cy="19" r="6" fill="#28c840"/>
<defs>
${defs}
</defs>
<g transform="translate(${PADDING} ${BAR_HEIGHT + PADDING})">
${groups.join('\n')}
</g>
</svg>
`;
}

function uses(text: string, lines: Map<string, string>): string {
  const found: string[] = [];
  let style: Parameters<typeof parseStyledLine>[1];
  text.split('\n').forEach((line, row) => {
    const parsed = parseStyledLine(line, style);
    style = parsed.style;
    const drawn = drawLine(parsed.spans);
    if (drawn === '') return;
    const id = `l${[...lines.keys()].indexOf(drawn) + 1 || lines.size + 1}`;
    if (!lines.has(drawn)) lines.set(drawn, `<text id="${id}">${drawn}</text>`);
    found.push(`<use href="#${id}" y="${(row * LINE_HEIGHT + FONT_SIZE).toFixed(0)}"/>`);
  });
  return found.join('');
}

/** Every span has its own place, so that a font whose characters are wider or narrower keeps the columns. */
function drawLine(spans: readonly Span[]): string {
  let column = 0;
  let drawn = '';
  for (const { text, color, isBold, isDim } of spans) {
    const classes = [color !== undefined && `c${color}`, isBold && 'b', isDim && 'd']
      .filter(Boolean)
      .join(' ');
    const length = [...text].length;
    if (text.trim() !== '') {
      const lead = text.length - text.trimStart().length;
      const words = text.trim();
      const x = ((column + lead) * CHARACTER_WIDTH).toFixed(1);
      const spread = ([...words].length * CHARACTER_WIDTH).toFixed(1);
      const attribute = classes === '' ? '' : ` class="${classes}"`;
      drawn += `<tspan x="${x}" textLength="${spread}"${attribute}>${escapeXml(words)}</tspan>`;
    }
    column += length;
  }
  return drawn;
}

/** The stretches of time in which a screen is visible, in order. */
function screenRule(
  index: number,
  stretches: readonly (readonly [fromMs: number, toMs: number])[],
  totalMs: number,
): string {
  const at = (ms: number, visibility: string): string =>
    `${((ms / totalMs) * 100).toFixed(2)}%{visibility:${visibility}}`;
  const isFirst = stretches[0]?.[0] === 0;
  const isLast = stretches.at(-1)?.[1] === totalMs;
  const frames = [
    ...(isFirst ? [] : [at(0, 'hidden')]),
    ...stretches.flatMap(([fromMs, toMs]) => [
      at(fromMs, 'visible'),
      ...(toMs < totalMs ? [at(toMs, 'hidden')] : []),
    ]),
    at(totalMs, isLast ? 'visible' : 'hidden'),
  ];
  return `@keyframes k${index}{${frames.join('')}}.s${index}{animation-name:k${index}}`;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, character => `&#${character.codePointAt(0)};`);
}
