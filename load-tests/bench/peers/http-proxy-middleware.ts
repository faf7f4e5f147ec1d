// The peer http-proxy-middleware, on a bare server of Node.
import { Agent, createServer } from 'node:http'
import { createProxyMiddleware } from 'http-proxy-middleware'

const [originPort, port] = process.argv.slice(2).map(Number)
const pass = createProxyMiddleware({
  target: `http://127.0.0.1:${originPort}`,
  agent: new Agent({ keepAlive: true, maxFreeSockets: 256 }),
  xfwd: true,
})
createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  void pass(request, response, () => void response.destroy())
}).listen(port, '127.0.0.1')
