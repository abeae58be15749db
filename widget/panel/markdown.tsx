/**
 * A small part of Markdown, to elements and never to markup.
 *
 * The text was written by a machine that may have read anything: no images, no HTML, no links but
 * web, mail and telephone. Time is linear in the length of the text.
 */

import type { ComponentChildren, VNode } from 'preact'

export type CiteChip = (n: number) => VNode | null

const LONGEST = 40_000
const DEEPEST = 4

const BULLET = /^ {0,3}[-*+•] +(.*)$/
const NUMBER = /^ {0,3}(\d{1,9})[.)] +(.*)$/
const QUOTE = /^ {0,3}> ?(.*)$/
const FENCE = /^ {0,3}(```|~~~)/
const HEADING = /^ {0,3}#{1,6} +(.*)$/

/** Only addresses that open something the customer would expect. */
export function safeHref(address: string): string | null {
  return /^(?:https?:\/\/[^\s/]|mailto:[^\s]+@|tel:\+?\d)/i.test(address) && !/[\s<>"\u0000-\u001f]/.test(address) ? address : null
}

export function Markdown({ text, cite }: { text: string; cite: CiteChip }) {
  return <>{blocks(text.slice(0, LONGEST).split(/\r\n?|\n/), cite, 0)}</>
}

function blocks(lines: string[], cite: CiteChip, depth: number): VNode[] {
  const out: VNode[] = []
  let at = 0
  const runOf = (pattern: RegExp) => {
    const run: RegExpExecArray[] = []
    for (let found; at < lines.length && (found = pattern.exec(lines[at]!)); at++) run.push(found)
    return run
  }
  const starts = (line: string) => [BULLET, NUMBER, QUOTE, FENCE, HEADING].some((pattern) => pattern.test(line))
  while (at < lines.length) {
    const line = lines[at]!
    const fence = FENCE.exec(line)?.[1]
    if (line.trim() === '') at += 1
    else if (fence) {
      let last = at + 1
      while (last < lines.length && !lines[last]!.trim().startsWith(fence)) last++
      out.push(<pre dir="ltr"><code>{lines.slice(at + 1, last).join('\n')}</code></pre>)
      at = last + 1
    } else if (BULLET.test(line)) {
      out.push(<ul>{items(lines, BULLET, 1)}</ul>)
    } else if (NUMBER.test(line)) {
      out.push(<ol start={Number(NUMBER.exec(line)![1])}>{items(lines, NUMBER, 2)}</ol>)
    } else if (QUOTE.test(line)) {
      const inner = runOf(QUOTE).map((found) => found[1]!)
      out.push(<blockquote>{depth < DEEPEST ? blocks(inner, cite, depth + 1) : inner.join('\n')}</blockquote>)
    } else if (HEADING.test(line)) {
      out.push(<p dir="auto"><strong>{inline(HEADING.exec(line)![1]!, cite)}</strong></p>)
      at += 1
    } else {
      const from = at++
      while (at < lines.length && lines[at]!.trim() !== '' && !starts(lines[at]!)) at++
      out.push(<p dir="auto">{withBreaks(lines.slice(from, at), cite)}</p>)
    }
  }
  return out

  /** Items one below the other; an indented line belongs to the item above it, and so does a blank line between two. */
  function items(all: string[], pattern: RegExp, group: number): VNode[] {
    const found: string[][] = []
    while (at < all.length) {
      const match = pattern.exec(all[at]!)
      if (match) found.push([match[group]!])
      else if (/^\s{2,}\S/.test(all[at]!) && found.length) found.at(-1)!.push(all[at]!.trim().replace(/^[-*+•] +/, '– '))
      else if (!(all[at]!.trim() === '' && at + 1 < all.length && pattern.test(all[at + 1]!))) break
      at += 1
    }
    return found.map((parts) => <li dir="auto">{withBreaks(parts, cite)}</li>)
  }
}

function withBreaks(lines: string[], cite: CiteChip): ComponentChildren[] {
  return lines.flatMap((line, index) => (index ? [<br />, ...inline(line.trim(), cite)] : inline(line.trim(), cite)))
}

const MARK = /\\[\\`*_[\]()#>-]|`+|\*\*|__|\*|_|\[|https?:\/\/[^\s<>"]+/g

/** Words inside a line. Each kind of mark that has no partner is remembered, so nothing is looked for twice. */
function inline(text: string, cite: CiteChip, depth = 0): ComponentChildren[] {
  const out: ComponentChildren[] = []
  const hopeless = new Set<string>()
  let plain = 0
  let from = 0
  const pattern = new RegExp(MARK)

  const partner = (mark: string, start: number) => {
    if (hopeless.has(mark)) return -1
    const end = text.indexOf(mark, start)
    if (end < 0) hopeless.add(mark)
    return end
  }
  const put = (upTo: number, node: ComponentChildren, next: number) => {
    if (upTo > plain) out.push(text.slice(plain, upTo))
    out.push(node)
    plain = from = next
  }

  for (;;) {
    pattern.lastIndex = from
    const found = pattern.exec(text)
    if (!found) break
    const mark = found[0]
    const at = found.index
    const after = at + mark.length
    from = after
    if (mark[0] === '\\') put(at, mark[1], after)
    else if (mark[0] === '`') {
      const end = partner(mark, after)
      if (end > after) put(at, <code dir="ltr">{text.slice(after, end)}</code>, end + mark.length)
    } else if (mark === '[') {
      const chip = /^\^?(\d{1,3})\]/.exec(text.slice(after, after + 6))
      const node = chip && text[after + chip[0].length] !== '(' ? cite(Number(chip[1])) : null
      if (node) put(at, node, after + chip![0].length)
      else {
        const middle = partner('](', after)
        const end = middle < 0 ? -1 : partner(')', middle)
        const href = end < 0 ? null : safeHref(text.slice(middle + 2, end).trim())
        const label = text.slice(after, middle)
        if (href && label && !label.includes('[')) put(at, <Link href={href}>{label}</Link>, end + 1)
      }
    } else if (mark.startsWith('http')) {
      const address = mark.replace(/[.,;:!?'")\]*_]+$/, '')
      const href = safeHref(address)
      if (href) put(at, <Link href={href}>{address}</Link>, at + address.length)
    } else {
      const inWord = mark[0] === '_' && /\w/.test(text[at - 1] ?? '')
      const end = inWord || /^\s?$/.test(text[after] ?? '') ? -1 : partner(mark, after + 1)
      if (end < 0 || depth >= DEEPEST || /\s/.test(text[end - 1]!)) continue
      const inner = inline(text.slice(after, end), cite, depth + 1)
      put(at, mark.length === 2 ? <strong>{inner}</strong> : <em>{inner}</em>, end + mark.length)
    }
  }
  if (plain < text.length) out.push(text.slice(plain))
  return out
}

export function Link({ href, children }: { href: string; children: ComponentChildren }) {
  return <a href={href} target="_blank" rel="noopener noreferrer nofollow">{children}</a>
}

/** What a person wrote: as it is, with its web addresses made into links. */
export function Plain({ text }: { text: string }) {
  const parts = text.split(/(https?:\/\/[^\s<>"]+)/)
  return (
    <p dir="auto" class="plain">
      {parts.map((part, index) => {
        const address = part.replace(/[.,;:!?'")\]]+$/, '')
        const href = index % 2 ? safeHref(address) : null
        return href ? <><Link href={href}>{address}</Link>{part.slice(address.length)}</> : part
      })}
    </p>
  )
}
