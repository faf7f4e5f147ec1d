// A file of stateDir that is written whole each time that what it keeps has changed, and again until the disk takes it.
// The danger it guards against: a disk that was full for a moment, and a restart a week later that knows nothing of since.
import { writeAtomically } from './durable.ts'

export interface KeptFile {
  /**
   * Resolves once that is on the disk. Of several under way only the last is written. What the disk refuses is tried again until
   * it is taken: there may be no next change for weeks. Who does not wait need not catch.
   */
  save(file: string, text: string): Promise<void>
  /** When all that was saved so far is on the disk, or was refused for now. */
  idle(): Promise<void>
  /** As `idle`, after one more try; then nothing is tried again. */
  close(): Promise<void>
}

interface Content {
  readonly file: string
  readonly text: string
}

const retryMs = 1_000

/** @param told what went wrong, once for each save; whoever awaits it hears of it too */
export function createKeptFile(told: (thrown: unknown, file: string) => void): KeptFile {
  let last: Content | undefined
  /** As far as it was written here. */
  let onDisk: Content | undefined
  let queue: Promise<void> = Promise.resolve()
  let retry: NodeJS.Timeout | undefined

  /** Writes what was saved last, be it more than its caller saved: nobody is told that his is on the disk before it is. */
  async function write(): Promise<void> {
    const content = last
    if (!content || content === onDisk) return
    await writeAtomically(content.file, content.text)
    onDisk = content
  }

  function retryLater(): void {
    clearTimeout(retry)
    retry = setTimeout(() => {
      // It has been told of.
      queue = queue.then(write).catch(retryLater)
    }, retryMs).unref()
  }

  return {
    save(file, text) {
      if (last?.file !== file || last.text !== text) last = { file, text }
      const done = queue.then(write)
      queue = done.catch((thrown) => {
        told(thrown, file)
        retryLater()
      })
      done.catch(() => {})
      return done
    },
    idle: () => queue,
    async close() {
      await queue
      clearTimeout(retry)
      await write().catch(() => {})
    },
  }
}
