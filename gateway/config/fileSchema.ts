// The schema of the whole file: the core keys, and each filter kind's sections at their places.
// The danger it guards against: a key that two declare, or a mapping that lets unknown keys pass unseen.
import { type TSchema, Type } from 'typebox'
import type { FilterKind, Place } from '../filter.ts'
import { moveSchema, routeSchema, topProperties, upstreamSchema } from './core.ts'
import { namePattern, nameTitle } from './schema.ts'

type Properties = Record<string, TSchema>

/** @throws when a kind declares a key that is taken: a mistake in the code, not in the file */
export function fileSchema(kinds: readonly FilterKind[]): TSchema {
  const upstream = withSections(upstreamSchema, kinds, 'upstream')
  const move = withSections(moveSchema, kinds, 'move')
  const route = withSections({ ...routeSchema, properties: { ...routeSchema.properties, move } }, kinds, 'route')
  const upstreams = Type.Record(Type.String(), upstream, {
    propertyNames: { pattern: namePattern, title: nameTitle },
    description: 'The places that can answer, each under its name.',
  })
  const routes = Type.Array(route, { default: [], description: 'What is taken out of `unmatched`, in any order.' })
  const top = Type.Object({ ...topProperties, upstreams, routes }, { description: 'routes.yaml of a Banyan gateway.' })
  const required = ['upstreams', 'unmatched']
  return closed({ ...withSections(top, kinds, 'top'), required }) as TSchema
}

function withSections(
  schema: TSchema & { properties: Properties },
  kinds: readonly FilterKind[],
  place: Place,
): TSchema {
  const properties: Properties = { ...schema.properties }
  for (const [key, section] of kinds.flatMap(({ sections }) => Object.entries(sections))) {
    if (section.at !== place) continue
    if (Object.hasOwn(properties, key)) throw new Error(`the key "${key}" at ${place} is declared twice`)
    properties[key] = section.schema
  }
  return { ...schema, properties }
}

/** A copy whose mappings all refuse keys that they do not declare: a kind may forget to say so. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, key === 'default' ? value : closed(value)]),
  )
  return copy.type === 'object' ? { additionalProperties: false, ...copy } : copy
}
