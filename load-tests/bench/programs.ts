// The programs of Debian that the bench needs: found on the PATH, installed when it may, else reported as missing.
// The danger it guards against: a comparison that silently leaves somebody out.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** @returns the program's file, or undefined when it is not on the PATH */
export function findProgram(name: string): string | undefined {
  // sbin is not on the PATH of everybody, but that is where Debian puts servers.
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return [...folders, ...folders.map((folder) => folder.replace(/bin$/, 'sbin'))]
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Installs what is missing of these packages, when we are root and there is apt-get. */
export function installMissing(names: readonly string[], say: (line: string) => void): void {
  const missing = names.filter((name) => findProgram(name) === undefined)
  const aptGet = findProgram('apt-get')
  if (missing.length === 0 || aptGet === undefined || process.getuid?.() !== 0) return
  say(`installing ${missing.join(', ')}`)
  // RUNLEVEL: what a package installs must not start serving beside what is measured.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const steps = [['update'], ['install', '-y', '--no-install-recommends', ...missing]]
  for (const args of steps) {
    const { status, stderr } = spawnSync(aptGet, args, { env, encoding: 'utf8' })
    if (status !== 0) say(`apt-get ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`)
  }
}
