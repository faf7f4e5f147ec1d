// Reads a client's connection without the stream that Node puts around it: `data` events, with a tick of their own behind each
// read, cost a thirtieth of a small request. Only of a connection that flows and has nothing waiting; else the stream does its work.
// The danger it guards against: a byte that is read twice, out of turn, or past a pause.
import type { Socket } from 'node:net'

/** @param take as a listener for `data`. @returns what ends it: from then on the socket is a stream as any other */
export function readFrom(socket: Socket, take: (chunk: Buffer) => void): () => void {
  // Whatever does not come through `push` still comes as an event.
  socket.on('data', take)
  const { push } = socket
  // Node gives each read to the socket's `push` (stream.Readable), which may be another for this one socket.
  socket.push = (chunk: Buffer | null) => {
    if (chunk === null || !socket.readableFlowing || socket.readableLength > 0) return push.call(socket, chunk)
    take(chunk)
    return true
  }
  return () => {
    // Not deleted: an object that loses a property is slow for the rest of its life.
    socket.push = push
    socket.off('data', take)
  }
}
