// An upload: its parts go to files as they come, 50 MB at most in all.
// The danger it guards against: a disk filled by one request, or by what a client left unfinished.
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { chunksOf, Refusal, type Visit } from '../../services/kit/visit.ts'
import type { Documents, Received } from './documents.ts'
import { boundaryOf, type MultipartEvent, readMultipart } from './multipart.ts'

const longestUpload = 50 * 1024 * 1024

/** All files of the request; all are dropped again if one fails. @throws Refusal 400, 413, 415 */
export async function receiveFiles(visit: Visit, documents: Documents): Promise<readonly Received[]> {
  const events = readMultipart(chunksOf(visit), boundaryOf(visit.request.headers['content-type']))
  const quota = { leftBytes: longestUpload }
  const received: Received[] = []
  try {
    for await (const event of events) {
      if (event.kind !== 'part') continue
      const name = fileNameOf(event.fields.get('content-disposition') ?? '')
      if (name === undefined) await skipPart(events, quota)
      else {
        received.push({ name, type: typeOf(event.fields), ...(await receiveFile(events, documents, quota)) })
      }
    }
    if (received.length === 0) throw new Refusal(400, 'there is no file in it')
    return received
  } catch (error) {
    for (const { file } of received) await documents.drop(file)
    throw error
  } finally {
    await events.return(undefined)
  }
}

interface Quota {
  leftBytes: number
}

async function receiveFile(
  events: AsyncGenerator<MultipartEvent>,
  documents: Documents,
  quota: Quota,
): Promise<Pick<Received, 'file' | 'bytes' | 'sha256'>> {
  const path = documents.fileForArrival()
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  let bytes = 0
  try {
    for await (const chunk of bytesOfPart(events, quota)) {
      hash.update(chunk)
      bytes += chunk.length
      await file.write(chunk)
    }
  } catch (error) {
    await documents.drop(path)
    throw error
  } finally {
    await file.close()
  }
  return { file: path, bytes, sha256: hash.digest('hex') }
}

async function skipPart(events: AsyncGenerator<MultipartEvent>, quota: Quota): Promise<void> {
  for await (const _ of bytesOfPart(events, quota));
}

async function* bytesOfPart(events: AsyncGenerator<MultipartEvent>, quota: Quota): AsyncGenerator<Buffer> {
  while (true) {
    const { value } = await events.next()
    if (value?.kind !== 'bytes') return
    quota.leftBytes -= value.bytes.length
    if (quota.leftBytes < 0) throw new Refusal(413, `an upload is at most ${longestUpload} bytes`)
    yield value.bytes
  }
}

/** What the client says it is, where that can be said again in a field of ours. */
function typeOf(fields: ReadonlyMap<string, string>): string {
  const type = fields.get('content-type') ?? ''
  return /^[\w!#$&^.+-]+\/[\x20-\x7e]{1,120}$/.test(type) ? type : 'application/octet-stream'
}

/** The last segment of the name that a part gives its file; undefined for a plain form field (RFC 7578 §4.2). */
function fileNameOf(disposition: string): string | undefined {
  const quoted = /;\s*filename="((?:\\.|[^"\\])*)"/i.exec(disposition)?.[1]
  if (quoted === undefined) return undefined
  const name = quoted.replace(/\\(["\\])/g, '$1').replace(/^.*[/\\]/, '')
  return name.replace(/%22/g, '"').slice(0, 200) || 'unnamed'
}
