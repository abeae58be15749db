/**
 * Build the loader and the panel, and refuse to grow past the size budget.
 *
 * `node build.mjs [folder]` writes to the package's static folder unless told otherwise. The same
 * sources give the same bytes: the compiled files are committed, and a test compares them.
 */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const here = dirname(fileURLToPath(import.meta.url))
const out = resolve(process.argv[2] ?? join(here, '../src/escalade/web/static/widget'))

/** Budgets in bytes after gzip -9. */
const LOADER_BUDGET = 6 * 1024
const PANEL_BUDGET = 35 * 1024

const common = {
  root: here,
  configFile: false,
  envDir: false,
  publicDir: false,
  logLevel: 'warn',
  define: { 'process.env.NODE_ENV': '"production"' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
}
const targets = ['chrome111', 'firefox115', 'safari16.4']

rmSync(out, { recursive: true, force: true })

await build({
  ...common,
  build: {
    outDir: out,
    emptyOutDir: false,
    target: targets,
    lib: { entry: join(here, 'loader/main.ts'), formats: ['iife'], name: 'escaladeLoader', fileName: () => 'loader.js' },
  },
})

await build({
  ...common,
  base: '/widget/',
  build: {
    outDir: out,
    emptyOutDir: false,
    target: targets,
    manifest: 'manifest.json',
    modulePreload: false,
    cssCodeSplit: true,
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { panel: join(here, 'panel/main.tsx') },
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
})

// What is compiled in is distributed with us, and so is its licence.
const bundled = ['preact', '@preact/signals', '@preact/signals-core']
const licences = bundled.map((name) => `${name}\n\n${readFileSync(join(here, 'node_modules', name, 'LICENSE'), 'utf8').trim()}\n`)
writeFileSync(join(out, 'licences.txt'), licences.join('\n---\n\n'))

const weigh = (path) => gzipSync(readFileSync(path), { level: 9 }).length
const loader = weigh(join(out, 'loader.js'))
const assets = readdirSync(join(out, 'assets'))
const panel = assets.reduce((total, name) => total + weigh(join(out, 'assets', name)), 0)

console.log(`loader ${loader} of ${LOADER_BUDGET} bytes, panel ${panel} of ${PANEL_BUDGET} bytes (gzip -9)`)
if (loader > LOADER_BUDGET || panel > PANEL_BUDGET) {
  console.error('The size budget is exceeded.')
  process.exit(1)
}
