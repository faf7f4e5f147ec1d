// Revocations that replicas share. They are only ever added, by whomever, so what one replica knows is right wherever it is
// missing: a store that came back without them gets them again.
// The danger it guards against: a revocation that one replica took and another never hears of.
import { type Revocation, readRevocation } from '../../identity/keyRecord.ts'
import { createGiver } from './giver.ts'
import type { SharedParts } from './sharedParts.ts'

export interface SharedRevocations {
  /** @returns whether it is in the store */
  publish(revocation: Revocation): Promise<boolean>
  /** Of what was put from here last. */
  readonly publishedRevision: number
  /** Of what is in force here. */
  readonly appliedRevision: number
  /** Reads all; whether that could be done. */
  read(): Promise<boolean>
  close(): void
}

const name = 'keyRevocations'

export function shareRevocations({ mirror, store, onApplied, tellFailure }: SharedParts): SharedRevocations {
  let publishedRevision = 0
  let appliedRevision = 0
  const give = createGiver(publish)

  async function publish(revocation: Revocation): Promise<boolean> {
    try {
      const written = await store.put(name, revocation.id, revocation, { ifRevision: 0 })
      const revision = written.done ? written.revision : (written.found?.revision ?? 0)
      publishedRevision = Math.max(publishedRevision, revision)
      return true
    } catch (thrown) {
      tellFailure(thrown)
      return false
    }
  }

  function apply({ revision, byKey }: Awaited<ReturnType<typeof store.all>>): void {
    try {
      mirror.take({ revocations: [...byKey.values()].flatMap(({ value }) => readRevocation(value) ?? []) })
    } catch (thrown) {
      // In force all the same.
      tellFailure(thrown)
    }
    appliedRevision = revision
    onApplied()
    give(new Map([...mirror.revocations()].filter(([id]) => !byKey.has(id))))
  }

  const end = store.onChange(name, apply)
  return {
    publish,
    get publishedRevision() {
      return publishedRevision
    },
    get appliedRevision() {
      return appliedRevision
    },
    async read() {
      try {
        apply(await store.all(name))
        return true
      } catch (thrown) {
        tellFailure(thrown)
        return false
      }
    },
    close: end,
  }
}
