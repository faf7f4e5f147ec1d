// The gateway's own keys: made ahead, published, used, forgotten, on their schedule. Each gateway has its own, in stateDir; what
// replicas share is the public part of all, so that any of them can say whom to believe.
// The danger it guards against: a key that signs before anybody can have heard of it, or a restart that forgets what it has signed.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { isNextDue, neededOf, signerOf, signsFromOf } from '../../identity/signingRing.ts'
import type { Clock, SigningSettings } from '../../model.ts'
import { readIfThere, writeAtomically } from '../durable.ts'
import type { Store } from '../store/port.ts'
import { createPublicKeys } from './publicKeys.ts'
import { makeKey, type PublicKey, publicPart, readKeys, type SigningKey } from './signing.ts'

export interface SigningKeys {
  /** Undefined before the first one is made. */
  signer(): SigningKey | undefined
  /** Ours, and those of the other replicas. */
  published(): readonly PublicKey[]
  follow(settings: SigningSettings): void
  /** Once. */
  open(stateDir: string): Promise<void>
  /** To be called now and then: makes, publishes and forgets what is due. Never rejects. */
  look(): Promise<void>
}

export interface SigningKeysParts {
  readonly clock: Pick<Clock, 'wall'>
  store(): Store | undefined
  /** Another one signs, or why the keys are not kept. */
  told(change: { readonly signer: string } | { readonly trouble: string }): void
}

export function createSigningKeys({ clock, store, told }: SigningKeysParts): SigningKeys {
  let keys: readonly SigningKey[] = []
  const shared = createPublicKeys(store)
  let settings: SigningSettings | undefined
  let file: string | undefined
  let signing: string | undefined
  let looking: Promise<void> | undefined

  async function advance(rules: SigningSettings): Promise<void> {
    const nowMs = clock.wall()
    let next = neededOf(keys, nowMs, rules)
    // Another algorithm is a new key: the old one still holds for what it has signed.
    const isOther = next.at(-1)?.algorithm !== rules.algorithm
    if (isOther || isNextDue(next, nowMs, rules)) {
      const place = { id: randomBytes(9).toString('base64url'), signsFromMs: signsFromOf(next, nowMs, rules) }
      next = [...next, await makeKey(rules.algorithm, place)]
    }
    if (next.length !== keys.length || next.at(-1) !== keys.at(-1)) {
      keys = next
      await keep()
    }
    const signer = signerOf(keys, nowMs)?.id
    if (signer !== undefined && signer !== signing) told({ signer })
    signing = signer
    await shared.share(keys.map(publicPart), nowMs, nowMs + 2 * rules.rotateMs + rules.lifeMs)
  }

  async function keep(): Promise<void> {
    if (file === undefined) return
    try {
      await writeAtomically(file, JSON.stringify({ keys }))
    } catch (thrown) {
      told({ trouble: `the gateway's own keys are not kept (${String(thrown)}): a restart makes new ones` })
    }
  }

  return {
    signer: () => signerOf(keys, clock.wall()),
    published() {
      const own = keys.map(publicPart)
      const ids = new Set(own.map(({ kid }) => kid))
      return [...own, ...shared.known(clock.wall()).filter(({ kid }) => !ids.has(kid))]
    },
    follow(next) {
      settings = next
    },
    async open(stateDir) {
      file = join(stateDir, 'keys', 'signing.json')
      try {
        const text = await readIfThere(file)
        if (text !== undefined) keys = await readKeys(text)
      } catch (thrown) {
        told({ trouble: `the gateway's own keys cannot be read (${String(thrown)}): it makes new ones` })
      }
    },
    look() {
      looking ??= (settings ? advance(settings) : Promise.resolve()).finally(() => {
        looking = undefined
      })
      return looking
    },
  }
}
