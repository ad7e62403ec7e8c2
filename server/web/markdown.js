// The little of CommonMark that descriptions are written in: paragraphs, lists, code, links, emphasis.
import { h } from './dom.js';

const INLINE = /(`[^`]+`|\[[^\]]+\]\([^)\s]+\)|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/;

export function inlineText(text) {
  return text.split(INLINE).map((part, at) => {
    if (at % 2 === 0) return part;
    if (part[0] === '`') return h('code', {}, part.slice(1, -1));
    if (part[0] === '[') {
      const [, label, href] = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part);
      return /^(https?:|\/|#)/.test(href) ? h('a', { href, rel: 'noopener' }, label) : label;
    }
    return part.startsWith('**') ? h('strong', {}, part.slice(2, -2)) : h('em', {}, part.slice(1, -1));
  });
}

export function textBlocks(text) {
  return (text ?? '').trim().split(/\n\s*\n/).filter(Boolean).map((block, at) => {
    const lines = block.split('\n');
    if (lines.every((line) => /^\s*[-*] |^\s{2,}/.test(line))) {
      const items = block.split(/\n(?=\s*[-*] )/).map((item) => item.replace(/^\s*[-*] /, ''));
      return h('ul', { key: at }, items.map((item, index) => h('li', { key: index }, inlineText(item))));
    }
    return h('p', { key: at }, inlineText(block));
  });
}
