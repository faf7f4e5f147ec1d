// The last accepted routes.yaml, kept in stateDir as it was written (references unresolved), for a start on a broken one.
// The danger it guards against: a full disk that keeps a good file from being served.
import { dirname, join } from 'node:path'
import { readIfThere } from './durable.ts'
import { createKeptFile } from './keptFile.ts'

const fileName = 'lastAccepted.yaml'

export interface Mirror {
  /** Queues a write; what goes wrong with it goes to `onFailure`. The last one queued is the last one written. */
  save(stateDir: string, text: string): void
  /** The text saved last. @returns undefined when there is none. Rejects when there is one that cannot be read. */
  read(stateDir: string): Promise<string | undefined>
  /** When everything queued so far is written, or was refused for now: then it is tried again. */
  idle(): Promise<void>
  /** As `idle`, and then nothing is tried again. */
  close(): Promise<void>
}

/** @param onFailure to be told loudly: without a mirror a broken file is no start */
export function createMirror(onFailure: (thrown: unknown, stateDir: string) => void): Mirror {
  const kept = createKeptFile((thrown, file) => onFailure(thrown, dirname(file)))
  return {
    save: (stateDir, text) => void kept.save(join(stateDir, fileName), text),
    read: (stateDir) => readIfThere(join(stateDir, fileName)),
    idle: kept.idle,
    close: kept.close,
  }
}
