/** A plot as SVG text: bars with their values, readable without a script and in light and dark alike. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Ours, or another's. */
  readonly isOurs: boolean;
}

const WIDTH = 720;
/** Of a letter of the labels, generously. */
const LETTER_WIDTH = 7.8;
const BAR_HEIGHT = 22;
const GAP = 8;
const TOP = 40;

export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(bar => bar.value), Number.MIN_VALUE);
  const labelWidth = Math.ceil(20 + Math.max(...bars.map(bar => bar.label.length)) * LETTER_WIDTH);
  const room = WIDTH - labelWidth - 90;
  const height = TOP + bars.length * (BAR_HEIGHT + GAP) + GAP;
  const rows = bars.map(({ label, value, isOurs }, index) => {
    const y = TOP + index * (BAR_HEIGHT + GAP);
    const width = Math.max(1, Math.round((value / most) * room));
    const middle = y + BAR_HEIGHT / 2 + 5;
    return [
      `<text x="${labelWidth - 10}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="3" class="${isOurs ? 'ours' : 'other'}"/>`,
      `<text x="${labelWidth + width + 8}" y="${middle}">${shown(value)} ${escaped(unit)}</text>`,
    ].join('\n');
  });
  const description = bars.map(({ label, value }) => `${label}: ${shown(value)} ${unit}`).join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<desc>${escaped(description)}</desc>
<style>
text { font: 14px system-ui, sans-serif; fill: #24292f; }
.head { font-weight: 600; font-size: 15px; }
.ours { fill: #0969da; }
.other { fill: #8c959f; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .ours { fill: #4493f8; } .other { fill: #6e7681; } }
</style>
<text x="8" y="22" class="head">${escaped(title)}</text>
${rows.join('\n')}
</svg>
`;
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.codePointAt(0)};`);
}
