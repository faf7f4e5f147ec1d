// What an operator may see of a value: its type, its length and a short hash by which two equal values are seen to be equal.
// The danger it guards against: a client's name or token in an example. Without the key a hash gives no value away, not even a
// guessable one; only null and booleans, which say nothing of anybody, are shown as they are.
import { createHmac, createSecretKey } from 'node:crypto'
import { type Json, JsonObject } from './jsonValue.ts'

/** @param value undefined: there is none */
export type Show = (value: Json | Uint8Array | undefined) => string

const hashDigits = 8

/** @param key random, kept to this process or shared by those whose examples are to be set side by side */
export function createShow(key: Uint8Array): Show {
  // Prepared once: from bytes it would be made anew for each value, at five times the price.
  const secret = createSecretKey(key)
  const hash = (value: string | number | bigint | Uint8Array) => {
    const bytes = value instanceof Uint8Array ? value : String(value)
    return createHmac('sha256', secret).update(bytes).digest('hex').slice(0, hashDigits)
  }
  return (value) => {
    if (value === undefined) return 'nothing'
    if (value === null || typeof value === 'boolean') return String(value)
    if (value instanceof JsonObject) return `object(${value.members.size})`
    const isScalar = typeof value !== 'object' || value instanceof Uint8Array
    return isScalar ? `${typeWithLength(value)} #${hash(value)}` : `array(${value.length})`
  }
}

function typeWithLength(value: string | number | bigint | Uint8Array): string {
  if (typeof value === 'string') return `string(${value.length})`
  if (value instanceof Uint8Array) return `bytes(${value.length})`
  return typeof value === 'bigint' || Number.isInteger(value) ? 'integer' : 'number'
}
