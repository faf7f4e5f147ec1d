// The peer httpxy, on a bare server of Node.
import { Agent, createServer } from 'node:http'
import { createProxyServer } from 'httpxy'

const [originPort, port] = process.argv.slice(2).map(Number)
const proxy = createProxyServer({
  target: `http://127.0.0.1:${originPort}`,
  agent: new Agent({ keepAlive: true, maxFreeSockets: 256 }),
  xfwd: true,
})
createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  proxy.web(request, response).catch(() => response.destroy())
}).listen(port, '127.0.0.1')
