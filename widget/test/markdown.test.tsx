import { Fragment, isValidElement, type ComponentChildren, type VNode } from 'preact'
import { describe, expect, it } from 'vitest'
import { Markdown, Plain, safeHref } from '../panel/markdown'

const ALLOWED = new Set(['p', 'ul', 'ol', 'li', 'pre', 'code', 'blockquote', 'strong', 'em', 'a', 'br', 'button'])
const PROPS = new Set(['children', 'dir', 'start', 'href', 'target', 'rel', 'class', 'n'])

/** Draw vnodes as text, calling components, and refuse anything outside the allow-list. */
function drawn(node: ComponentChildren): string {
  if (Array.isArray(node)) return node.map(drawn).join('')
  if (!isValidElement(node)) return node === null || node === undefined || typeof node === 'boolean' ? '' : String(node)
  const { type, props } = node as VNode<Record<string, unknown>>
  const inner = props.children as ComponentChildren
  if (type === Fragment) return drawn(inner)
  if (typeof type === 'function') return drawn((type as (p: unknown) => ComponentChildren)(props))
  expect(ALLOWED).toContain(type)
  for (const name of Object.keys(props)) expect(PROPS).toContain(name)
  if (type === 'a') expect(safeHref(String(props.href))).not.toBeNull()
  const extra = type === 'a' ? ` ${String(props.href)}` : ''
  return type === 'br' ? '<br>' : `<${type as string}${extra}>${drawn(inner)}</${type as string}>`
}

const cite = (n: number) => (n <= 2 ? <button>{n}</button> : null)
const md = (text: string) => drawn(<Markdown text={text} cite={cite} />)

describe('Markdown', () => {
  it.each([
    ['one\ntwo\n\nthree', '<p>one<br>two</p><p>three</p>'],
    ['**bold** and *slanted* and `code`', '<p><strong>bold</strong> and <em>slanted</em> and <code>code</code></p>'],
    ['- a\n- b', '<ul><li>a</li><li>b</li></ul>'],
    ['3. a\n4. b', '<ol><li>a</li><li>b</li></ol>'],
    ['Do:\n1. a\n   more\n\n2. b', '<p>Do:</p><ol><li>a<br>more</li><li>b</li></ol>'],
    ['> quoted', '<blockquote><p>quoted</p></blockquote>'],
    ['# Title', '<p><strong>Title</strong></p>'],
    ['```py\nx = 1\n```', '<pre><code>x = 1</code></pre>'],
    ['[us](https://a.example/x)', '<p><a https://a.example/x>us</a></p>'],
    ['see https://a.example/x.', '<p>see <a https://a.example/x>https://a.example/x</a>.</p>'],
    ['Yes [1][^2] and [3].', '<p>Yes <button>1</button><button>2</button> and [3].</p>'],
    ['snake_case_name and 2 * 3 * 4', '<p>snake_case_name and 2 * 3 * 4</p>'],
    ['\\*not\\*', '<p>*not*</p>'],
  ])('reads %j', (text, html) => expect(md(text)).toBe(html))

  it.each(['<img src=x onerror=alert(1)>', '[x](javascript:alert(1))', '[x](data:text/html,hi)', '![x](//evil.example)'])(
    'leaves %j inert', (text) => expect(md(text)).not.toMatch(/<(?!p>|\/p>|img src=x)/),
  )

  it('never throws, never leaves the allow-list, and never hangs on anything', { timeout: 120_000 }, () => {
    const pieces = ['*', '**', '_', '`', '```', '[', ']', '](', ')', '[1]', '[^9]', '\n', '\n\n', '- ', '1. ', '> ', '# ', 'word', ' ', '\\', 'https://a.example', '<b>', 'é', '🙂']
    let seed = 7
    const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648)
    for (let round = 0; round < 1500; round++) {
      md(Array.from({ length: next() % 40 }, () => pieces[next() % pieces.length]).join(''))
    }
    for (const piece of pieces) md(piece.repeat(40_000 / piece.length))
  })
})

describe('Plain', () => {
  it('links addresses and nothing else', () => {
    expect(drawn(<Plain text="go to https://a.example/b, **now**" />)).toBe(
      '<p>go to <a https://a.example/b>https://a.example/b</a>, **now**</p>',
    )
  })
})
