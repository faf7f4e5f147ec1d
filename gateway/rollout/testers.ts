// The signed word by which a named tester chooses a side: `NAME~SIDE~EXPIRY~SIGNATURE`.
// The danger it guards against: anybody else who chooses, and a word that holds for ever.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { cookieOf } from '../message/cookies.ts'
import type { Fields, Side, Testers } from '../model.ts'

interface Choice {
  readonly name: string
  readonly side: Side
  /** Milliseconds since the epoch. */
  readonly untilMs: number
}

/** @param rollout the key of the rollout it is good for */
export function signChoice(key: string, rollout: string, { name, side, untilMs }: Choice): string {
  const seconds = Math.floor(untilMs / 1000)
  return `${name}~${side}~${seconds}~${signature(key, `${rollout}~${name}~${side}~${seconds}`).toString('base64url')}`
}

/** The side that a request's tester has chosen. @returns undefined without a word, or with one that is forged, stale or another's */
export function chosenSide(fields: Fields, testers: Testers, rollout: string, wallMs: number): Side | undefined {
  const word = testers.by === 'cookie' ? cookieOf(fields, testers.name) : fields.get(testers.name)
  const [, name, side, seconds, signed] = /^([^~]{1,63})~(old|new)~([0-9]{1,12})~([\w-]{43})$/.exec(word ?? '') ?? []
  if (name === undefined || signed === undefined || Number(seconds) * 1000 <= wallMs) return undefined
  const expected = signature(testers.key, `${rollout}~${name}~${side}~${seconds}`)
  return timingSafeEqual(expected, Buffer.from(signed, 'base64url')) ? (side as Side) : undefined
}

function signature(key: string, text: string): Buffer {
  return createHmac('sha256', key).update('banyan tester ').update(text).digest()
}
