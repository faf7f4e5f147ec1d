// An answer as it lies in stock. The danger it guards against: one that no longer says to whom it may be given.
import { namesOf, withField, without } from '../message/fields.ts'
import type { Answer, Fields } from '../model.ts'
import { type Policy, policyOf, type Times } from './policy.ts'
import { variantOf, varyOf } from './vary.ts'

/** An answer without its body, and what is to be known before it is given to anybody. */
export interface StoredHead extends Times {
  readonly status: number
  readonly reason: string
  readonly fields: Fields
  /** The name of the Upstream that made it. */
  readonly upstream: string
  /** The names in its Vary, and the digest of what the request had there that it was made for. */
  readonly vary: readonly string[]
  readonly variant: string
  /** Whether it was asked for without credentials, or in a partition that only its owner reads. */
  readonly isAnybodys: boolean
  /** Derived from the fields and times. */
  readonly policy: Policy
}

/** Its fields are as they are given, but for the age. */
export interface Stored extends StoredHead {
  readonly body: Buffer
}

/** The head with its body; what is done here need not be done for each client. */
export function storedOf(head: StoredHead, body: Buffer): Stored {
  const { fields, status, policy } = head
  const ageless = without(fields, age)
  // RFC 9110 §6.6.1: whoever stores an answer without a date gives it one; §8.6: a 204 has no length.
  const dated = fields.has('date') ? ageless : withField(ageless, 'Date', new Date(policy.dateMs).toUTCString())
  return { ...head, body, fields: status === 204 ? dated : withField(dated, 'Content-Length', String(body.length)) }
}

const age = namesOf(['Age'])

export type HeadParts = Pick<StoredHead, 'upstream' | 'isAnybodys' | 'requestedAtMs' | 'receivedAtMs'> & {
  readonly answer: Pick<Answer, 'status' | 'reason' | 'fields'>
  /** Of the request that it was made for. */
  readonly asked: Fields
}

/** @returns undefined when it fits no other request */
export function storedHeadOf({ answer, asked, ...rest }: HeadParts): StoredHead | undefined {
  const vary = varyOf(answer.fields)
  if (!vary) return undefined
  const { status, reason, fields } = answer
  const policy = policyOf(fields, rest)
  return { status, reason, fields, vary, variant: variantOf(vary, asked), policy, ...rest }
}

/** The newest that fits (RFC 9111 §4): whoever has credentials gets what is for all, or for him alone. */
export function pick<H extends StoredHead>(stored: readonly H[], asked: Fields, isKnown: boolean): H | undefined {
  const fitting = stored.filter((one) => mayBeGiven(one, asked, isKnown))
  return fitting.reduce<H | undefined>(
    (best, one) => (best && best.receivedAtMs >= one.receivedAtMs ? best : one),
    undefined,
  )
}

/** @param isKnown whether the request has credentials, and no partition of its own */
export function mayBeGiven(stored: StoredHead, asked: Fields, isKnown: boolean): boolean {
  if (!stored.policy.isForAll && (isKnown || !stored.isAnybodys)) return false
  return variantOf(stored.vary, asked) === stored.variant
}
