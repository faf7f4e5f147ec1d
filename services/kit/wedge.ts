// A wedge between an answer and its connection: half of the body's first bytes go out, then something happens.
// The danger it guards against: a fault that breaks an answer before its head, which is another fault.
import type { ServerResponse } from 'node:http'

/** @param atHalf is called once, with what lets the rest through; an answer without a body never gets there. */
export function wedgeInto(response: ServerResponse, atHalf: (goOn: () => void) => void): void {
  const write = response.write.bind(response) as (chunk: Buffer) => boolean
  const end = response.end.bind(response) as () => ServerResponse
  let waiting: Buffer[] | undefined
  let isDone = false
  let hasEnded = false

  const goOn = () => {
    isDone = true
    for (const chunk of waiting ?? []) write(chunk)
    if (hasEnded) end()
    else if (!response.writableNeedDrain) response.emit('drain')
  }
  const take = (chunk: Buffer): boolean => {
    if (isDone) return write(chunk)
    if (waiting) {
      waiting.push(chunk)
      return false
    }
    const half = Math.ceil(chunk.length / 2)
    waiting = [chunk.subarray(half)]
    write(chunk.subarray(0, half))
    atHalf(goOn)
    return false
  }
  const finish = (): ServerResponse => {
    hasEnded = true
    return isDone || !waiting ? end() : response
  }
  replaceBody(response, take, finish)
}

function replaceBody(response: ServerResponse, take: (chunk: Buffer) => boolean, finish: () => ServerResponse): void {
  const hasBytes = (chunk: unknown) => typeof chunk === 'string' || Buffer.isBuffer(chunk)
  Object.assign(response, {
    write: (chunk: string | Buffer) => take(Buffer.from(chunk)),
    end: (chunk?: unknown) => {
      if (hasBytes(chunk) && (chunk as string | Buffer).length > 0) take(Buffer.from(chunk as Buffer))
      return finish()
    },
  })
}
