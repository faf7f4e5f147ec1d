// The reference page of routes.yaml, from the declarations that the gateway checks it with.
// The danger it guards against: a page that names a default which the code no longer has.
import type { FilterKind } from '../filter.ts'
import { fileSchema } from './fileSchema.ts'
import { isMapping } from './pointer.ts'
import { expected, type Shape } from './sentences.ts'

interface Described extends Shape {
  readonly default?: unknown
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, Described>>
  readonly anyOf?: readonly Described[]
  readonly items?: Described
  readonly properties?: Readonly<Record<string, Described>>
}

interface Row {
  readonly key: string
  readonly schema: Described
  readonly isRequired: boolean
}

const opening = `# Reference of routes.yaml

This page is generated (\`node gateway/config/writeSchema.ts\`) from the declarations that the gateway checks the file with.
\`NAME\` stands for a name of your choice, \`[]\` for each entry of a list. Durations are a whole number and \`ms\`, \`s\`, \`m\`,
\`h\` or \`d\`. \`\${NAME}\` and \`\${NAME:-default}\` in a value come from the environment; unquoted, \`port: \${PORT:-8080}\` is a number.
A key that is not listed here is refused.

`

/** Markdown: one line for each key. */
export function referencePage(kinds: readonly FilterKind[]): string {
  const rows = rowsOf(fileSchema(kinds) as unknown as Described, '')
  return `${opening}${tableOf([['Key', 'Value', 'Default', 'What it is'], ...rows.map(cellsOf)])}\n`
}

/** Padded, as the formatter wants tables. */
function tableOf(lines: readonly (readonly string[])[]): string {
  const [head = []] = lines
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const [first, ...rest] = lines.map((line) => `| ${line.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |`)
  return [first, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rest].join('\n')
}

function rowsOf(schema: Described, path: string): Row[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const key = path === '' ? name : `${path}.${name}`
    return [{ key, schema: inner, isRequired: schema.required?.includes(name) ?? false }, ...rowsOf(inner, key)]
  })
  const named = Object.values(schema.patternProperties ?? {}).flatMap((inner) => rowsOf(inner, `${path}.NAME`))
  const forms = (schema.anyOf ?? []).filter(isNoListOfAnother).flatMap((form) => rowsOf(form, path))
  return [...own, ...named, ...forms, ...(schema.items ? rowsOf(schema.items, `${path}[]`) : [])]
}

/** One, or a list of such: its keys are told once. */
function isNoListOfAnother({ items }: Described, _: number, forms: readonly Described[]): boolean {
  return items === undefined || forms.every((other) => JSON.stringify(other) !== JSON.stringify(items))
}

function cellsOf({ key, schema, isRequired }: Row): string[] {
  const usual = schema.default === undefined ? (isRequired ? 'required' : '') : defaultOf(schema.default)
  return [`\`${key}\``, kindOf(schema), usual, schema.description ?? ''].map(cell)
}

function kindOf(schema: Described): string {
  if (schema.anyOf) return schema.anyOf.map(kindOf).join(' or ')
  if (schema.patternProperties) return 'a mapping of names to values'
  if (schema.type === 'object') return 'a mapping'
  return schema.items ? `a list: ${kindOf(schema.items)}` : expected(schema)
}

function defaultOf(value: unknown): string {
  return isMapping(value) && !Array.isArray(value)
    ? 'as below'
    : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
