// What a body is: JSON, markup, text or bytes, by its fields and by a look at it.
// The danger it guards against: JSON that an old application calls text/html, compared as text, where each moved comma is a difference.
import type { Compared } from './comparison.ts'
import { decodeBody } from './decode.ts'
import { fieldValue } from './fields.ts'
import { type Json, readJson } from './jsonValue.ts'
import type { TextKind } from './text.ts'

export type Content =
  | { readonly kind: 'none' | 'tooLarge' | 'broken' }
  | { readonly kind: 'json'; readonly value: Json }
  | { readonly kind: TextKind; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }

export function contentOf({ fields, body }: Compared): Content {
  if (typeof body === 'string') return { kind: body }
  const bytes = decodeBody(body, fieldValue(fields, 'content-encoding') ?? '')
  if (typeof bytes === 'string') return { kind: bytes }
  if (bytes.length === 0) return { kind: 'none' }
  const mediaType = (fieldValue(fields, 'content-type') ?? '').toLowerCase()
  const kind = kindOf(mediaType)
  if (kind === 'bytes') return { kind, bytes }
  const text = textOf(bytes, mediaType)
  const value = kind === 'json' || /^\s*[[{]/.test(text) ? readJson(text) : undefined
  if (value !== undefined) return { kind: 'json', value }
  // Without a type, what is no JSON may be anything.
  if (kind === 'unknown') return { kind: 'bytes', bytes }
  return { kind: kind === 'json' ? 'text' : kind, text }
}

function kindOf(mediaType: string): 'json' | TextKind | 'bytes' | 'unknown' {
  const essence = mediaType.split(';', 1)[0]?.trim() ?? ''
  if (essence === '') return 'unknown'
  if (/[/+]json$/.test(essence)) return 'json'
  if (/[/+](html|xml)$/.test(essence)) return 'markup'
  return /^text\/|[/+](javascript|x-www-form-urlencoded|x-ndjson|yaml)$/.test(essence) ? 'text' : 'bytes'
}

/** latin1 loses nothing: bytes that are no UTF-8, whatever they are, differ in it where they differ. */
function textOf(bytes: Uint8Array, mediaType: string): string {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/.exec(mediaType)?.[1] ?? 'utf-8'
  const latin1 = () => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  if (charset !== 'utf-8' && charset !== 'utf8') return latin1()
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return latin1()
  }
}
