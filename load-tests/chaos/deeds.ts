// What the new side does in each row of the table.
// The danger it guards against: a fault that is not the one it is called, and a breaker that opens for another reason.
import { setTimeout as pause } from 'node:timers/promises'
import type { Deed } from '../chaosTable.ts'
import { type Asked, answer, type Script, wellAs } from './origins.ts'

/** Beyond `slowerThan` of the upstreams that are slow, far within their `firstByte`. */
export const slowMs = 400
export const slowerThanMs = 100
/** Requests whose id begins so open the breaker before the request that counts. */
export const primerPrefix = 'prime-'

const half = 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nnew'

const deeds: Readonly<Record<Deed, Script>> = {
  none: wellAs('new'),
  // It listens elsewhere: whoever asks meets a closed port.
  refuse: wellAs('new'),
  reset: { requestCame: ({ socket }) => void socket.resetAndDestroy() },
  midBody: { requestCame: ({ socket }) => void socket.write(half, () => socket.resetAndDestroy()) },
  hang: { requestCame: () => {} },
  slow: { requestCame: ({ socket }) => void pause(slowMs).then(() => answer(socket, 200, 'new')) },
  500: { requestCame: ({ socket }) => answer(socket, 500, 'new') },
  503: { requestCame: ({ socket }) => answer(socket, 503, 'new') },
  garbage: { requestCame: ({ socket }) => void socket.end('220 mail.example ESMTP\r\n\r\n') },
  halfHead: { requestCame: ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\nContent-Le') },
  continueClose: {
    headCame: ({ socket }) => void socket.end('HTTP/1.1 100 Continue\r\n\r\n', () => socket.destroy()),
    requestCame: () => {},
  },
}

export function scriptOf(deed: Deed): Script {
  const { headCame, requestCame } = deeds[deed]
  const isPrimer = ({ id }: Asked) => id.startsWith(primerPrefix)
  return {
    headCame: (asked) => {
      if (!isPrimer(asked)) headCame?.(asked)
    },
    requestCame: (asked) => (isPrimer(asked) ? answer(asked.socket, 500, 'primed') : requestCame(asked)),
  }
}
