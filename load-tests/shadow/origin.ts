// `node load-tests/shadow/origin.ts WHAT`: a side that answers at once, or a candidate that does its worst.
// The danger it guards against: a candidate in the gateway's or the client's own process, whose flood is then measured with them.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const block = Buffer.alloc(64 * 1024, 'x')
const largeBytes = 100 * 1024 * 1024

const ways: Readonly<Record<string, (response: ServerResponse) => void>> = {
  answer: (response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(page()),
  hang: () => {},
  flood: (response) => write(response.writeHead(200), Number.POSITIVE_INFINITY),
  large: (response) => write(response.writeHead(200, { 'Content-Length': largeBytes }), largeBytes),
}

/** As the other end expects it: two kilobytes of JSON. */
export function page(): string {
  return JSON.stringify({
    shipments: Array.from({ length: 32 }, (_, i) => ({ id: i, from: 'HAM', to: 'SIN', kg: 7 * i })),
  })
}

/** As fast as it is read, until nobody reads any more. */
function write(response: ServerResponse, bytes: number): void {
  let left = bytes
  const more = () => {
    while (left > 0 && !response.destroyed) {
      const piece = left < block.length ? block.subarray(0, left) : block
      left -= piece.length
      if (!response.write(piece)) return
    }
    response.end()
  }
  response.on('drain', more)
  more()
}

function main(what: string | undefined): void {
  const answer = ways[what ?? '']
  if (!answer) throw new Error(`say what it does: ${Object.keys(ways).join(', ')}`)
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume()
    answer(response)
  })
  process.once('SIGTERM', () => process.exit(0))
  server.listen(0, '127.0.0.1', () => {
    console.log(`origin listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
}

if (process.argv[1] === import.meta.filename) main(process.argv[2])
