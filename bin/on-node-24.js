// Plain JavaScript that an old Node can still read: it refuses in one line what the sources could only fail at.
// Usage: node bin/on-node-24.js FILE [ARG …] runs FILE in this process; imported, it only checks.
import { pathToFileURL } from 'node:url'

const oldest = 24
if (Number(process.versions.node.split('.')[0]) < oldest) {
  console.error(
    `banyan needs Node ${oldest} or newer, this is ${process.version}: run it through npm (npm start, npm test, npx banyan) after npm ci, or install Node ${oldest}`,
  )
  process.exit(1)
}

const self = pathToFileURL(process.argv[1] ?? '').href
if (self === import.meta.url) {
  const [file, ...rest] = process.argv.slice(2)
  process.argv.splice(1, process.argv.length, file, ...rest)
  await import(pathToFileURL(file).href)
}
