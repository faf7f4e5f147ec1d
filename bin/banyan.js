#!/usr/bin/env node
// The command: from the sources in a clone, from dist/ in an installed package (Node strips no types in node_modules).
import { existsSync } from 'node:fs'
import './on-node-24.js'

const sources = new URL('../gateway/cli.ts', import.meta.url)
const { main } = await import(
  existsSync(sources) ? sources.href : new URL('../dist/gateway/cli.js', import.meta.url).href
)
process.exitCode = await main(process.argv.slice(2))
