// The last accepted routes.yaml, kept in stateDir as it was written (references unresolved), for a start on a broken one.
// The danger it guards against: a full disk that keeps a good file from being served.
import { join } from 'node:path'
import { readIfThere, writeAtomically } from './durable.ts'

const fileName = 'lastAccepted.yaml'

export interface Mirror {
  /** Queues a write; what goes wrong with it goes to `onFailure`. The last one queued is the last one written. */
  save(stateDir: string, text: string): void
  /** The text saved last. @returns undefined when there is none. Rejects when there is one that cannot be read. */
  read(stateDir: string): Promise<string | undefined>
  /** When everything queued so far is written, or has failed. */
  idle(): Promise<void>
}

/** @param onFailure to be told loudly: without a mirror a broken file is no start */
export function createMirror(onFailure: (thrown: unknown, stateDir: string) => void): Mirror {
  let queue = Promise.resolve()
  return {
    save(stateDir, text) {
      queue = queue.then(() => writeMirror(stateDir, text)).catch((thrown) => onFailure(thrown, stateDir))
    },
    read: (stateDir) => readIfThere(join(stateDir, fileName)),
    idle: () => queue,
  }
}

export function writeMirror(stateDir: string, text: string): Promise<void> {
  return writeAtomically(join(stateDir, fileName), text)
}
