// How a message is put on a connection, the same towards clients and upstreams.
// The danger it guards against: two writers of one format, of which one forgets the empty line, the last chunk or the flush.
import type { Socket } from 'node:net'
import { chunkHead } from './chunked.ts'

/** Up to here a body costs less as text behind its head than as a second buffer in the same system call. */
const textBytes = 16 * 1024

/** Head and body in one packet and one system call. @param head latin1 */
export function writeWhole(head: string, body: Buffer, socket: Socket): void {
  if (body.length <= textBytes) {
    socket.write(head + body.toString('latin1'), 'latin1')
    return
  }
  socket.cork()
  socket.write(head, 'latin1')
  socket.write(body)
  socket.uncork()
}

/** One piece of a streamed body. @returns whether the socket takes more now */
export function writePiece(piece: Buffer, isChunked: boolean, socket: Socket): boolean {
  if (!isChunked) return socket.write(piece)
  // A chunk of no bytes would be the last one.
  if (piece.length === 0) return true
  socket.cork()
  socket.write(chunkHead(piece.length), 'latin1')
  socket.write(piece)
  const mayGoOn = socket.write('\r\n', 'latin1')
  socket.uncork()
  return mayGoOn
}

/** Whether the system has taken everything, as it mostly has before `write` returns. */
export function isFlushed(socket: Socket): boolean {
  return socket.writableLength === 0
}

/** Mostly at once. Never, when the connection breaks first. */
export function whenFlushed(socket: Socket, then: () => void): void {
  if (isFlushed(socket)) then()
  else socket.write('', (error) => error ?? then())
}
