// Tokens of the gateway's own, one for each client, audience and set of scopes, used again for half its life.
// The danger it guards against: a signature for every request, and a token that dies on its way.
import { LRUCache } from 'lru-cache'
import type { InternalTokens } from '../../model/ports.ts'
import type { Clock, Identity, SigningSettings } from '../../model.ts'
import { sign } from './signing.ts'
import type { SigningKeys } from './signingKeys.ts'

export interface Mint extends InternalTokens {
  follow(settings: SigningSettings): void
}

interface Minted {
  readonly token: Promise<string>
  readonly renewAtMs: number
  readonly signer: string
}

const mostTokens = 50_000

export function createMint(clock: Pick<Clock, 'wall'>, keys: Pick<SigningKeys, 'signer' | 'look'>): Mint {
  const minted = new LRUCache<string, Minted>({ max: mostTokens })
  let settings: SigningSettings | undefined

  async function make(identity: Identity | undefined, audience: string): Promise<string> {
    if (!keys.signer()) await keys.look()
    const signer = keys.signer()
    if (!settings || !signer) throw new Error('there is no key to sign with')
    const { issuer, lifeMs } = settings
    const { subject, scopes = [] } = identity ?? {}
    return sign(signer, { issuer, audience, subject, scopes, issuedAtMs: clock.wall(), lifeMs })
  }

  return {
    of(identity, audience) {
      const nowMs = clock.wall()
      const signer = keys.signer()?.id ?? ''
      const key = JSON.stringify([audience, identity?.id, identity?.scopes])
      const known = minted.get(key)
      const usedMs = (settings?.lifeMs ?? 0) / 2
      const leftMs = (known?.renewAtMs ?? nowMs) - nowMs
      // More is left than it ever had when the clock was set back: then it is of a time that is still to come.
      if (known?.signer === signer && leftMs > 0 && leftMs <= usedMs) return known.token
      const token = make(identity, audience)
      minted.set(key, { token, signer, renewAtMs: nowMs + usedMs })
      token.catch(() => minted.delete(key))
      return token
    },
    follow(next) {
      if (settings?.issuer !== next.issuer || settings.lifeMs !== next.lifeMs) minted.clear()
      settings = next
    },
  }
}
