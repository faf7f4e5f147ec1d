// No proxy but the floor under one: bytes copied between node:net sockets, nothing read, nothing made. What a gateway on Node costs
// above this is its own doing.
import { connect, createServer } from 'node:net'

const [originPort, port] = process.argv.slice(2).map(Number)
createServer({ noDelay: true }, (client) => {
  const upstream = connect({ port: originPort as number, host: '127.0.0.1', noDelay: true })
  client.on('data', (chunk) => upstream.write(chunk)).on('close', () => upstream.destroy())
  upstream.on('data', (chunk) => client.write(chunk)).on('close', () => client.destroy())
  for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
}).listen(port, '127.0.0.1')
