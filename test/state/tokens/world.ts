// A book of tokens whose clock and schedule the tests hold, and an issuer that answers as they say.
import { setImmediate as others } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { AuthCheck, IssuerSettings } from '../../../gateway/model.ts'
import { createTokens, type TokenBook } from '../../../gateway/state/tokens/book.ts'
import { createKeyMirror } from '../../../gateway/state/tokens/keyMirror.ts'
import type { KeyChange } from '../../../gateway/state/tokens/keyRing.ts'
import { startOrigin } from '../../harness/origin.ts'
import { audience, issuerName, keySetOf, type SigningKey } from '../../journey/issuer.ts'
import { frozenClock } from '../../ops/world.ts'

export interface TokenWorld {
  /** At its beginning, since the epoch. */
  readonly nowSeconds: number
  readonly tokens: TokenBook
  readonly changes: KeyChange[]
  /** Of what is kept of the issuers' keys. */
  readonly failures: unknown[]
  advance(byMs: number): void
  /** Runs what is due next, as if its time had come. */
  runNext(): void
  /** After so long as was scheduled. */
  readonly dueMs: number | undefined
  check(token: string): Promise<AuthCheck>
}

/** @param stateDir where what issuers gave is kept; absent: nowhere */
export function createWorld(stateDir?: string): TokenWorld {
  // Whole seconds, as tokens count them.
  const nowSeconds = Math.floor(Date.now() / 1000)
  const clock = frozenClock(nowSeconds * 1000)
  const due: { run: () => void; afterMs: number }[] = []
  const changes: KeyChange[] = []
  const failures: unknown[] = []
  const mirror = createKeyMirror((thrown) => void failures.push(thrown))
  if (stateDir !== undefined) mirror.open(stateDir)
  const tokens = createTokens({
    mirror,
    clock,
    schedule: (run, afterMs) => void due.push({ run, afterMs }),
    changed: (_issuer, change) => void changes.push(change),
  })
  onTestFinished(tokens.close)
  return {
    nowSeconds,
    tokens,
    changes,
    failures,
    advance: clock.advance,
    runNext: () => due.shift()?.run(),
    get dueMs() {
      return due[0]?.afterMs
    },
    check: async (token) => tokens.check(token, { ask: true }),
  }
}

export interface TestIssuer {
  readonly url: string
  asked: number
  /** What it answers from now on; undefined: 503. */
  keys: readonly SigningKey[] | undefined
  /** In place of the keys; `elsewhere`: a redirect. */
  text?: string
}

export async function startIssuer(...keys: SigningKey[]): Promise<TestIssuer> {
  const origin = await startOrigin((request, response) => {
    issuer.asked += 1
    if (request.url === '/elsewhere') response.end(keySetOf(issuer.keys ?? []))
    else if (issuer.text === 'elsewhere') response.writeHead(302, { Location: '/elsewhere' }).end()
    else if (!issuer.keys) response.writeHead(503).end()
    else response.end(issuer.text || keySetOf(issuer.keys))
  })
  onTestFinished(origin.close)
  const issuer: TestIssuer = { url: `${origin.url}/jwks`, asked: 0, keys }
  return issuer
}

export function settingsOf(keys: IssuerSettings['keys'], more: Partial<IssuerSettings> = {}): IssuerSettings {
  return {
    issuer: issuerName,
    keys,
    audience: [audience],
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    clockToleranceMs: 0,
    subject: 'sub',
    scopes: 'scope',
    refreshMs: 300_000,
    lastGoodMs: 3_600_000,
    ...more,
  }
}

/** Polls what comes about by itself. */
export async function until(isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 60_000
  while (performance.now() < giveUpAt) {
    if (isSo()) return
    await others()
  }
  throw new Error('it never came about')
}

export const why = (check: AuthCheck): string => (check.ok ? 'passed' : check.why)
