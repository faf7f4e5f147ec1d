// `/events`: where the vessels are, as server-sent events; for ever, or as many as asked for.
// The danger it guards against: a stream that goes on for a client that has left.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, endpoint } from '../services/kit/router.ts'
import { numberOf, type Visit } from '../services/kit/visit.ts'

export const eventEndpoints: readonly Endpoint[] = [endpoint('GET', '/events', streamPositions)]

/** `?count=` events (none: without end), one `?every=` milliseconds; goes on behind Last-Event-ID. */
async function streamPositions(visit: Visit): Promise<void> {
  const { request, response, query } = visit
  const count = numberOf(query, 'count', [1, 1_000_000]) ?? Number.POSITIVE_INFINITY
  const everyMs = numberOf(query, 'every', [1, 60_000]) ?? 1000
  const lastSeen = Number(/^\d{1,15}$/.exec(String(request.headers['last-event-id'] ?? ''))?.[0] ?? 0)
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
    'X-Accel-Buffering': 'no',
  })
  if (request.method === 'HEAD') return void response.end()
  // The comment takes the head along at once: a client need not wait for the first event.
  response.write(': positions\n\n')
  for (let sent = 1; sent <= count; sent += 1) {
    if (await isOver(visit, everyMs)) break
    response.write(positionOf(lastSeen + sent))
  }
  response.end()
}

async function isOver({ response, stopping }: Visit, everyMs: number): Promise<boolean> {
  const gone = new AbortController()
  const leave = () => gone.abort()
  response.once('close', leave)
  await sleep(everyMs, undefined, { signal: AbortSignal.any([stopping, gone.signal]) }).catch(() => {})
  response.off('close', leave)
  return stopping.aborted || response.destroyed
}

function positionOf(id: number): string {
  const position = { vessel: `MV ${id % 9}`, latitude: (id * 7) % 90, longitude: (id * 13) % 180 }
  return `id: ${id}\nevent: position\ndata: ${JSON.stringify(position)}\n\n`
}
