import { table } from '../core/table.ts';
import { modelsJsonSchema } from './json-schema.ts';

/** As much of a JSON Schema as ours use. */
interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** Returns the text of `docs/reference.md`: every key of `models.yaml`, from the definition that checks the file. */
export function referenceMarkdown(): string {
  const schema = modelsJsonSchema() as SchemaNode;
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, node]) => sectionsOf(name, node));
  const sections = [{ path: 'models.yaml', node: schema }, ...inner];
  return `# Reference of \`models.yaml\`

Every key of the file with its type and default, generated from the definition that checks it. What they mean together
is explained in [Configuration](configuration.md).

${sections.map(sectionText).join('\n')}`;
}

interface Section {
  /** `models[].oci` */
  readonly path: string;
  readonly node: SchemaNode;
}

/** The map itself, then the maps inside of it. */
function sectionsOf(path: string, node: SchemaNode): Section[] {
  if (node.type === 'array' && node.items !== undefined) {
    // What is said of the list is said of its items.
    return sectionsOf(`${path}[]`, { ...node.items, ...pick(node.description) });
  }
  const map = node.anyOf?.find(branch => branch.properties !== undefined);
  if (map !== undefined) return sectionsOf(path, { ...map, ...pick(node.description) });
  if (node.properties === undefined) return [];
  const inner = Object.entries(node.properties).flatMap(([name, child]) =>
    sectionsOf(`${path}.${name}`, child),
  );
  const other = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
  return [{ path, node }, ...inner, ...(other === undefined ? [] : sectionsOf(`${path}.<key>`, other))];
}

function pick(description: string | undefined): Pick<SchemaNode, 'description'> {
  return description === undefined ? {} : { description };
}

function sectionText({ path, node }: Section): string {
  const { properties = {}, required = [], additionalProperties: other } = node;
  const rows = Object.entries(properties).map(([name, child]) =>
    row(`\`${name}\``, child, required.includes(name)),
  );
  const more =
    typeof other === 'object' ? [row(rows.length === 0 ? 'any name' : 'any other name', other, false)] : [];
  return `## \`${path}\`

${prose(node.description)}

| key | type | default | meaning |
| --- | --- | --- | --- |
${[...rows, ...more].join('\n')}
`;
}

function row(key: string, node: SchemaNode, isRequired: boolean): string {
  const example = (node.examples ?? node.items?.examples ?? []).map(code).join(', ');
  const meaning = [prose(node.description), example === '' ? '' : `For example ${example}.`]
    .filter(Boolean)
    .join(' ');
  return `| ${[key, typeText(node), defaultText(node, isRequired), meaning].map(cell).join(' | ')} |`;
}

function typeText(node: SchemaNode): string {
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeText))].join(' or ');
  if (node.const !== undefined) return code(node.const);
  if (node.enum !== undefined) return node.enum.map(code).join(' or ');
  if (node.type === 'array') return `list of ${node.items === undefined ? 'anything' : typeText(node.items)}`;
  const types = typeof node.type === 'string' ? [node.type] : (node.type ?? []);
  const words = table<string>({
    string: 'text',
    boolean: '`true` or `false`',
    number: 'number',
    integer: 'number',
    object: 'map',
    null: '`null`',
  });
  const limit = node.maxLength === undefined ? '' : `, at most ${node.maxLength} characters`;
  return `${types.map(type => words[type] ?? type).join(' or ')}${limit}`;
}

function defaultText(node: SchemaNode, isRequired: boolean): string {
  if (isRequired) return 'required';
  return node.default === undefined ? '' : code(node.default);
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** `<short>` in a sentence would be taken for markup. */
function prose(text = ''): string {
  return text.replaceAll('<', '\\<');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
