// Who moved what, when and why: append-only JSON lines in `stateDir/audit/`, one hash chain per writer.
// The dangers it guards against: a record that its caller believes in and the disk does not have, and a full disk that keeps
// a rollback from happening. So nobody needs to wait for an append, nothing here throws, and what cannot be written is kept
// and written once it can be. Nothing is rotated: a gateway writes some records a day, and a chain is only worth its whole.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Clock } from '../model.ts'
import { type Chain, openChain } from './auditChain.ts'
import { createAuditQueue, refused } from './auditQueue.ts'
import type { AuditEntry, AuditRecord, Head } from './auditRecord.ts'

export interface AuditOptions {
  readonly stateDir: string
  readonly clock: Clock
  /** The name of this run (`nameWriter`): a file is named after it. */
  readonly writer: string
  /** Told once for each reason why records are not on the disk, as a sentence. */
  onTrouble(message: string): void
}

export interface Audit {
  /**
   * Resolves once the record is on the disk. Rejects when the disk refuses it for now: it is kept and written as soon as the
   * disk takes it, so that it must not be appended again. Who does not wait need not catch.
   */
  append(entry: AuditEntry): Promise<AuditRecord>
  /** Of the last durable record; undefined until there is one. For noting elsewhere. */
  head(): Head | undefined
  /** Writes what is left, if it can. */
  close(): Promise<void>
}

const retryMs = 1_000

/** @returns the name of one run of one process, which is never that of another */
export function nameWriter(clock: Clock, host = hostname(), random = randomBytes(4)): string {
  const stamp = new Date(clock.wall()).toISOString().replaceAll(/[-:.]/g, '')
  return `${host.replaceAll(/[^A-Za-z0-9.-]/g, '_').slice(0, 48)}-${process.pid}-${stamp}-${random.toString('hex')}`
}

export function createAudit({ stateDir, clock, writer, onTrouble }: AuditOptions): Audit {
  const queue = createAuditQueue(clock.wall)
  const tell = onceEach(onTrouble)
  let chain: Chain | undefined
  let flushing: Promise<void> | undefined
  let retry: NodeJS.Timeout | undefined
  let isClosed = false

  /** One at a time; what is appended meanwhile shares the next sync. */
  function flush(): Promise<void> {
    clearTimeout(retry)
    flushing ??= writeAll()
    return flushing
  }

  async function writeAll(): Promise<void> {
    try {
      do {
        chain = await currentChain()
        queue.take(await chain.write(queue.next()))
        tell.reset()
      } while (!queue.isEmpty)
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      tell(`the audit cannot be written (${reason}); records are kept in memory until it can`)
      queue.refuse(reason)
      if (!isClosed) retry = setTimeout(flush, retryMs).unref()
    } finally {
      // In the same breath as the look at the queue: who is told of a record may append the next at once.
      flushing = undefined
    }
  }

  async function currentChain(): Promise<Chain> {
    const opening = { stateDir, writer, atMs: clock.wall() }
    if (!chain) return openChain(opening)
    if (await chain.isThere()) return chain
    const instead = chain.head
    tell(`the audit file of ${instead.writer} is gone from its folder; a new one begins, and names it`)
    const next = await openChain({ ...opening, instead })
    await chain.close()
    return next
  }

  void flush()
  return {
    append(entry) {
      if (isClosed) return refused('the audit is closed')
      const appended = queue.add(entry)
      void flush()
      return appended
    },
    head: () => chain?.head,
    async close() {
      isClosed = true
      // One that is under way may have failed already over what another try can write.
      await flush()
      await flush()
      if (queue.missing > 0) onTrouble(`${queue.missing} records of the audit are lost`)
      await chain?.close()
    },
  }
}

interface Teller {
  (message: string): void
  /** What comes next is told even if it has been told before. */
  reset(): void
}

function onceEach(tell: (message: string) => void): Teller {
  let told = ''
  const teller = (message: string) => {
    if (message !== told) tell(message)
    told = message
  }
  return Object.assign(teller, {
    reset: () => {
      told = ''
    },
  })
}
