// The peer @fastify/http-proxy, bare: all its defaults (undici, at most 128 connections), no logger.
import httpProxy from '@fastify/http-proxy'
import fastify from 'fastify'

const [originPort, port = 0] = process.argv.slice(2).map(Number)
const app = fastify({ logger: false })
await app.register(httpProxy, { upstream: `http://127.0.0.1:${originPort}` })
await app.listen({ host: '127.0.0.1', port })
