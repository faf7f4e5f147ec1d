// Heads as text. What the put script must know of one stands before the JSON: when it came, where its body lies, in how many chunks.
// The danger it guards against: a field that is another one when it comes back. Characters of fields are bytes, and stay what they are.
import { fieldsOf } from '../../../message/fields.ts'
import type { KeptHead } from '../cachePort.ts'

export const chunkBytes = 64 * 1024

export const chunksOf = (bytes: number): number => Math.ceil(bytes / chunkBytes)

export function textOfHead({ fields, ...head }: KeptHead): string {
  const { receivedAtMs, body } = head
  return `${receivedAtMs} ${body.id} ${chunksOf(body.bytes)} ${JSON.stringify({ ...head, raw: fields.raw })}`
}

export function readHead(text: string): KeptHead {
  const json = text.slice(text.indexOf('{'))
  const { raw, ...head } = JSON.parse(json) as Omit<KeptHead, 'fields'> & { readonly raw: readonly string[] }
  return { ...head, fields: fieldsOf(raw) }
}
