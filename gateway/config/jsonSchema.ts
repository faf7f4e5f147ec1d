// The JSON Schema that editors complete and check routes.yaml with, from the declarations that the gateway checks it with.
// The danger it guards against: an editor that refuses what the gateway takes: a reference to the environment, a default.
import type { FilterKind } from '../filter.ts'
import { fileSchema } from './fileSchema.ts'
import { isMapping } from './pointer.ts'

type Schema = Readonly<Record<string, unknown>>

const reference = { type: 'string', pattern: '\\$\\{', title: `a reference such as $\{NAME} or $\{NAME:-default}` }

/** JSON Schema (draft 7), as text. */
export function editorSchema(kinds: readonly FilterKind[]): string {
  const schema = forEditors(fileSchema(kinds) as unknown as Schema)
  return `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema }, null, 2)}\n`
}

function forEditors(schema: Schema): Schema {
  if (mayBeReferred(schema)) {
    const { description, default: usual, ...own } = schema
    return {
      ...(description !== undefined && { description }),
      ...(usual !== undefined && { default: usual }),
      anyOf: [own, reference],
    }
  }
  const { required, ...rest } = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, inner(key, value)]),
  )
  const needed = withoutDefaults(required, schema.properties)
  return needed.length > 0 ? { ...rest, required: needed } : rest
}

function inner(keyword: string, value: unknown): unknown {
  if (keyword === 'anyOf' && Array.isArray(value)) return value.map(forEditors)
  if (keyword === 'items' && isMapping(value)) return forEditors(value)
  const holdsSchemas = (keyword === 'properties' || keyword === 'patternProperties') && isMapping(value)
  if (!holdsSchemas) return value
  return Object.fromEntries(Object.entries(value).map(([key, schema]) => [key, forEditors(schema as Schema)]))
}

/** A scalar whose form an unresolved reference would not have. */
function mayBeReferred({ type, pattern, ...schema }: Schema): boolean {
  if (type === 'integer' || type === 'number' || type === 'boolean') return true
  return (type === 'string' && pattern !== undefined) || schema.enum !== undefined || schema.const !== undefined
}

/** The gateway fills defaults in before it asks for what is required. */
function withoutDefaults(required: unknown, properties: unknown): string[] {
  const hasDefault = (key: string) => {
    const schema = isMapping(properties) ? properties[key] : undefined
    return isMapping(schema) && schema.default !== undefined
  }
  return Array.isArray(required) ? required.filter((key) => !hasDefault(key)) : []
}
