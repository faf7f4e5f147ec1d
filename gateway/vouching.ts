// What tells upstreams who a client is, put together: the gateway's own keys, and the tokens that they sign.
// The danger it guards against: keys that are made and never published, or that outlive the process that should forget them.
import type { Services } from './model/ports.ts'
import type { Clock, Snapshot } from './model.ts'
import type { Log } from './ops/log.ts'
import type { Sharing } from './state/sharing.ts'
import { createMint } from './state/tokens/minting.ts'
import type { PublicKey } from './state/tokens/signing.ts'
import { createSigningKeys } from './state/tokens/signingKeys.ts'

export interface Vouching {
  /** What filters are given of it. */
  readonly ports: Pick<Services, 'internalTokens'>
  /** A JWK Set (RFC 7517 §5). */
  published(): { readonly keys: readonly PublicKey[] }
  /** With the Snapshot that is served from now on, in that moment. */
  follow(snapshot: Pick<Snapshot, 'settings' | 'upstreams'>): void
  /** Once, when stateDir is known. */
  open(stateDir: string): Promise<void>
  close(): void
}

interface VouchingParts {
  readonly clock: Clock
  readonly log: Pick<Log, 'life'>
  readonly sharing: Pick<Sharing, 'store'>
}

const lookEveryMs = 1_000

export function assembleVouching({ clock, log: { life }, sharing }: VouchingParts): Vouching {
  let isWanted = false
  let looking: NodeJS.Timeout | undefined
  const keys = createSigningKeys({
    clock,
    store: sharing.store,
    told: (change) =>
      'trouble' in change
        ? life.error({ reason: change.trouble }, "the gateway's own keys are not as they should be")
        : life.info({ key: change.signer }, 'another key signs what upstreams are told of clients'),
  })
  const mint = createMint(clock, keys)
  const look = async () => {
    if (isWanted) await keys.look()
  }
  return {
    ports: { internalTokens: mint },
    published: () => ({ keys: keys.published() }),
    follow({ settings, upstreams }) {
      isWanted = [...upstreams.values()].some(({ internalToken }) => internalToken)
      keys.follow(settings.signing)
      mint.follow(settings.signing)
    },
    async open(stateDir) {
      await keys.open(stateDir)
      await look()
      looking ??= setInterval(look, lookEveryMs).unref()
    },
    close: () => clearInterval(looking),
  }
}
