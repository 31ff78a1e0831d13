#!/usr/bin/env python3
"""Small templates and what transformers' own Jinja environment makes of them.   usage: jinja.py > tests/goldens/template/python.jsonl"""
import datetime
import json

import jinja2

import transformers.utils.chat_template_utils as reference

NOW = 1764158400
GIVEN = {
    "x": "[INST]", "n": 3, "f": 2.5, "none": None, "t": True, "words": ["b", "a", "C"], "empty": [], "nothing": "",
    "d": {"b": 1, "A": 2, "items": 3, "a b": {"c": [1, 2]}}, "people": [{"name": "Bo", "age": 3}, {"name": "al", "age": 2}, {"name": "Cy", "age": 3}],
    "html": "<a href=\"x\">Tom & 'Jo'</a>", "lines": "one\n\n two\nthree", "u": "Ünï ß ǆ 日本\u00a0", "big": 123456789012345678901234567890,
    "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}],
}

# One expression each, printed.
EXPRESSIONS = r"""
1 + 2 * 3 ** 2
-2 ** 2
2 ** -1
2 ** 3 ** 2
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
7.5 // 2
-7.5 % 2
1 / 2
4 / 2
0.1 + 0.2
1e16
1e-5
1.5e300 * 1e10
12345678901234567890 + 1
-0.0
- 0.0
+true
-true
not not 1
true + true
1 == 1.0
1 == true
'1' == 1
1 < 2 < 3
1 < 3 < 2
3 > 2 >= 2 != 1
'a' < 'b'
'Z' < 'a'
[1, 2] < [1, 3]
[1] < [1, 2]
(1, 2) == [1, 2]
{'a': 1} == {'a': 1.0}
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
none == none
none < 1
'a' < 1
[1] < (1,)
{} < {}
1 + 'a'
'a' + 1
'a' + none
[1] + (2,)
[1] + [2]
(1,) + (2, 3)
'ab' * 3
3 * 'ab'
'ab' * -1
[1] * 2
'a' * 'b'
'a' * 1.0
1 / 0
1 // 0
1 % 0
1.0 / 0
0 ** -1
none + 1
undefined_name
undefined_name + 1
undefined_name.attr
undefined_name['k']
undefined_name()
undefined_name ~ 'x'
undefined_name == undefined_other
undefined_name == none
undefined_name in []
'a' in undefined_name
undefined_name < 1
-undefined_name
undefined_name|length
undefined_name|tojson
undefined_name|upper
undefined_name|trim
undefined_name|list
undefined_name|first
undefined_name|last
undefined_name|join(',')
undefined_name|int
undefined_name|float
undefined_name|items|list
undefined_name|dictsort
undefined_name|replace('a', 'b')
undefined_name|indent
undefined_name|sort
undefined_name|sum
undefined_name|map('upper')|list
undefined_name|reverse
undefined_name|string
undefined_name|safe
undefined_name|default('d')
undefined_name|abs
undefined_name|round
undefined_name|title
undefined_name|wordcount
undefined_name is defined
undefined_name is iterable
undefined_name is sequence
undefined_name is mapping
undefined_name is string
undefined_name is none
undefined_name is callable
none.attr
none['k']
none.attr.more
n.attr
n['k']
n[0]
[1][5]
[1][5].x
[1]['a']
[1].a
'abc'[1]
'abc'[-1]
'abc'[9]
'abc'['upper']()
'abc'.nope
'abc'.nope()
d.b
d['b']
d.items
d['items']
d.items()|list
d['keys']()|list
d.get('b')
d.get('z')
d.get('z', 5)
d.get()
d.values()|list
d.keys()|list
d.items()
d.keys()
d.values()
d.pop('b')
d.pop
d.update({})
d.copy()
d['a b'].c[1]
d['a b']['c'][-1]
d.missing
d.missing.more
d[1]
d[[1]]
{'a': 1}.a
{[1]: 2}
{1: 'a', 1.0: 'b', true: 'c'}
{none: 1, (1, 2): 3}
{'a': 1, 'b': 2, 'a': 3}
words.append('x')
words.append
words.count('a')
words.index('a')
words.index('z')
words.sort()
words.copy()
words[0:2]
words[::-1]
words[::2]
words[5:]
words[-2:]
words[:-1]
words['0']
'abcdef'[1:4]
'abcdef'[::-1]
'abcdef'[-3:-1]
'abcdef'[4:1:-1]
'abcdef'[::0]
d[1:2]
n[1:]
(1, 2, 3)[1:]
range(10)[2:5]|list
'a' in 'abc'
1 in 'abc'
none in 'abc'
1 in 1
'a' in none
'b' in d
1 in d
[1] in d
2 in [1, 2.0]
'x' not in 'abc'
not 'x' in 'abc'
1 if true
1 if false
1 if false else 2
(1 if false).x
1 if false else 2 if false else 3
'a' if 'b' if '' else 'c'
1 and 2
0 and 2
0 or 'x'
'' or none or []
true and undefined_name or 'z'
'a' ~ 1 ~ none ~ true ~ 1.0 ~ [1, 'x']
'a' ~ 1 + 2
1 ~ 2 + 3
[1, 'a', none, true, 1.5, [], {}, (1,), ()]
{'a': 'b"c', 'd': "e'f", 'g': '"\''}
['\n\t\\é\u200b\x00\x7f\U0001F600']
[x, html, u]
(1,)
()
1, 2
'a' 'b' "c"
'\U0001F600'
'\u00e9\x41\101\7'
'\a\b\f\v\r\t'|tojson
'\/\d\q'
'\é'
'a\
b'
'\N{BULLET}'
'\N{no such}'
'\x4'
'\u12'
'\\n'
"it's"
'say "x"'
0x1F
0b101
0o17
1_000
1_000.5
0x_ff
00
1.
1.5.5
1..a
'a'.0
'abc'.1
[1, 2].1
words.0
1.0|int
1.9|int
-1.9|int
'12'|int
' 12 '|int
'12.7'|int
'x'|int
'x'|int(7)
'x'|int(default=7)
none|int
none|int(default='d')
[]|int
'0x1f'|int(0, 16)
'1f'|int(base=16)
'0x1f'|int
'0x1f'|int(0, 0)
'0b11'|int(0, 2)
'z'|int(0, 36)
'12'|int(0, 8)
'1_000'|int
'__1'|int
'٣'|int
'1e3'|int
'inf'|int
'nan'|int
true|int
'99999999999999999999999'|int
'1.5'|float
'x'|float
'x'|float(9.5)
'x'|float(default=none)
'1e400'|float
'-inf'|float
'nan'|float
1|float
true|float
none|float
'1_0.5'|float
''|default('x')
''|default('x', true)
''|default('x', boolean=true)
none|default('x')
none|default('x', true)
''|d(default_value='y', boolean=1)
''|default(boolean=true)
'a'|default
''|default('x', nope=1)
''|default('x', true, 1)
'abc'|upper
'ABC'|lower
u|upper
u|lower
u|capitalize
u|title
u.title()
u.swapcase()
u.casefold()
'ßa'.title()
'hello wORLD foo-bar (baz) [x {y <z'|title
"they're bill's".title()
'hello wORLD'|capitalize
'hello wORLD'.capitalize()
5|upper
none|upper
[1]|upper
' a '|trim
'xxaxx'|trim('x')
'xyaxy'|trim(chars='xy')
' a '|trim(none)
5|trim
'\u00a0\x1fa\u3000'|trim
' a '.strip()
'xxaxx'.strip('x')
'xxaxx'.lstrip('x')
'xxaxx'.rstrip('x')
'a'.strip(none)
'a'.strip(1)
'a b  c'.split()
'a b  c'.split(' ')
'a,b,c'.split(',', 1)
'a,b,c'.rsplit(',', 1)
'a,b,c'.split(sep=',', maxsplit=1)
'a'.split('')
''.split()
''.split(',')
' a  b c '.split(none, 1)
' a  b c '.rsplit(none, 1)
'a'.split(1)
lines.splitlines()
lines.splitlines(true)
'a\r\nb\x0bc\u2028d\n'.splitlines()
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'abc'.partition('-')
'abc'.rpartition('-')
'abc'.partition('')
'abc'.startswith('a')
'abc'.startswith('b', 1)
'abc'.startswith(('x', 'a'))
'abc'.startswith(['a'])
'abc'.startswith('a', 5)
'abc'.startswith('', 3)
'abc'.startswith('', 4)
'abc'.endswith('c')
'abc'.endswith('b', 0, 2)
'abc'.endswith('b', 0, -1)
'abc'.startswith(1)
'abc'.startswith(prefix='a')
'abcabc'.find('c')
'abcabc'.find('c', 3)
'abcabc'.find('c', 3, 5)
'abcabc'.find('c', -2)
'abcabc'.rfind('c')
'abcabc'.rfind('c', 0, 4)
'abc'.find('z')
'abc'.index('z')
'abc'.index('c')
'abc'.find('')
'abc'.find('', 4)
'abcb'.count('b')
'abcb'.count('')
'abcb'.count('b', 2)
'aaaa'.count('aa')
'abc'.replace('b', 'x')
'aaa'.replace('a', 'b', 2)
'abc'.replace('', '-')
'abc'.replace('b')
'abc'.replace('b', 1)
'aaa'|replace('a', 'b')
'aaa'|replace('a', 'b', 1)
'aaa'|replace('a', 'b', count=1)
'a1'|replace(1, 2)
5|replace(5, 6)
none|replace('N', 'n')
'abc'.removeprefix('a')
'abc'.removesuffix('c')
'abc'.removesuffix('x')
'-'.join(['a', 'b'])
'-'.join('abc')
'-'.join([1])
'-'.join(d)
'a'.ljust(5) ~ '|'
'a'.rjust(5, '*')
'a'.center(4, '*')
'ab'.center(5, '*')
'a'.center(4)
'a'.ljust(5, 'xy')
'-5'.zfill(5)
'5'.zfill(1)
'a\tb'.expandtabs()
'a\tb'.expandtabs(4)
'abc'.isalpha()
'ab1'.isalnum()
'12'.isdigit()
'²'.isdigit()
'²'.isdecimal()
'½'.isnumeric()
'٣'.isdecimal()
' '.isspace()
''.isspace()
'Ab Cd'.istitle()
'AB'.isupper()
'ab'.islower()
'a_1'.isidentifier()
'1a'.isidentifier()
'é'.isascii()
'a\n'.isprintable()
'abc'.upper
'abc'.encode
'abc'.translate
'{} {}'.format(1, 'a')
'{0} {1} {0}'.format(1, 2)
'{a} {b}'.format(a=1, b=x)
'{a.name} {a[name]}'.format(a=people[0])
'{0[0]} {0[1]}'.format(words)
'{:>5}|{:<5}|{:^5}|{:*^6}'.format('a', 'b', 'c', 'de')
'{:05d} {:+d} {:x} {:#x} {:b} {:o} {:X}'.format(42, 42, 255, 255, 5, 8, 255)
'{:,} {:_} {:,.2f}'.format(1234567, 1234567, 1234567.891)
'{:.2f} {:.0f} {:e} {:g} {:%}'.format(1.005, 2.5, 12345.678, 0.00001234, 0.256)
'{:g} {:g} {:g}'.format(1e10, 123456, 1234567)
'{:10.3f}|{:<10.3f}|{:010.3f}'.format(3.14159, 3.14159, -3.14159)
'{:.3} {:.3s}'.format('abcdef', 'abcdef')
'{:.3} {:.1} {:5}'.format(1234.5, 1.0, 1.5)
'{!r} {!s}'.format('a', 'b')
'{:{w}}|'.format('a', w=4)
'{{}} {}'.format(1)
'{}'.format()
'{a}'.format()
'{'.format(1)
'}'.format(1)
'{} {0}'.format(1)
'{:d}'.format('a')
'{:d}'.format(1.5)
'{:s}'.format(1)
'{:z}'.format(1)
'{}'.format(none)
'{:5}'.format(none)
'{}'.format([1, 'a'])
'{:c}'.format(65)
'{:08,}'.format(1234)
'{a}'.format_map({'a': 1})
'%s %s' % (1, 'a')
'%s' % 'a'
'%s' % [1]
'%s' % (1,)
'%d %i %5d|%-5d|%05d %+d' % (1, 2, 3, 4, 5, 6)
'%x %X %#x %o' % (255, 255, 255, 8)
'%f %.2f %e %g %G' % (1.5, 1.005, 1234.5, 1e-10, 1e-10)
'%5s|%-5s|%.2s' % ('a', 'b', 'cde')
'%(a)s %(b)d' % {'a': 1, 'b': 2}
'%r' % 'a'
'%%'  % ()
'%c%c' % ('a', 66)
'%*d' % (5, 3)
'%.*f' % (2, 1.005)
'%d' % 1.9
'%d' % '1'
'%s %s' % (1,)
'%s' % (1, 2)
'a' % 1
'a' % {}
'a' % []
'%s' % none
'%q' % 1
'%' % 1
'%(a)s' % 1
'%s %s'|format(1, 2)
'%(a)s'|format(a=1)
'%s'|format(1, a=2)
'%s'|format('a')
'%s'|format((1, 2))
'a'|format
[3, 1, 2]|sort
words|sort
words|sort(reverse=true)
words|sort(case_sensitive=true)
words|sort(true)
[1, 'a']|sort
[none, 1]|sort
[true, 0, 2]|sort
people|sort(attribute='age')|map(attribute='name')|list
people|sort(attribute='age,name')|map(attribute='name')|list
people|sort(attribute='name', reverse=true)|map(attribute='name')|join
people|sort
[[2], [1]]|sort
d|dictsort
d|dictsort(true)
d|dictsort(false, 'value')
d|dictsort(case_sensitive=true, by='key', reverse=true)
{'a': 2, 'b': 1}|dictsort(by='value', reverse=true)
d|dictsort(by='nope')
d|dictsort(by='value')
words|dictsort
{1: 2, 'a': 3}|dictsort
words|first
words|last
empty|first
empty|last
'abc'|first
'abc'|last
d|first
d|last
5|first
(x for x in y)
words|map('upper')|first
words|map('upper')|last
words|map('upper')|list
words|map('upper')
words|map('nope')|list
words|map|list
words|map(attribute='x')|list
people|map(attribute='name')|list
people|map(attribute='zip', default='-')|list
people|map('attr', 'name')|list
people|map(attribute='name.0')|list
words|map('default', 'x')|list
words|map('replace', 'a', 'z')|list
[1, 2]|map('string')|join
none|map('upper')|list
5|map('upper')|list
words|select|list
[0, 1, 2, '']|select|list
[1, 2, 3]|select('odd')|list
[1, 2, 3]|select('divisibleby', 3)|list
[1, 2, 3]|select('>', 1)|list
[1, 2, 3]|reject('equalto', 2)|list
[1, 2, 3]|select('nope')|list
['a', 1]|select('string')|list
people|selectattr('age', 'equalto', 3)|map(attribute='name')|list
people|selectattr('age', '==', 3)|list|length
people|selectattr('zip')|list
people|selectattr('zip', 'defined')|list
people|rejectattr('age', 'gt', 2)|map(attribute='name')|list
people|selectattr|list
people|selectattr('age', 'in', [2])|list
people|selectattr('name.0', '==', 'B')|list
words|length
d|length
5|length
none|length
words|map('upper')|length
range(5)|length
d.items()|length
words|count
[1, 2, 3]|sum
people|sum(attribute='age')
people|sum('age', 10)
[1.5, 2]|sum
['a']|sum
[[1], [2]]|sum(start=[])
['a']|sum(start='b')
[3, 1, 2]|min
[3, 1, 2]|max
words|min
words|max(case_sensitive=true)
empty|max
people|max(attribute='age')
[1, 'a']|max
words|reverse|list
'abc'|reverse
words|reverse
5|reverse
d|reverse|list
words|list
'abc'|list
d|list
5|list
none|list
['a', 'A', 'b', 1, 1.0]|unique|list
['a', 'A']|unique(case_sensitive=true)|list
people|unique(attribute='age')|map(attribute='name')|list
[[1], [1]]|unique|list
[1, 2, 3, 4, 5]|batch(2)|list
[1, 2, 3]|batch(2, 'x')|list
[1, 2, 3, 4, 5]|slice(2)|list
[1, 2, 3]|slice(2, 'x')|list
[1, 2]|slice(0)|list
people|groupby('age')
people|groupby('age')|map(attribute='grouper')|list
people|groupby('age')|map('last')|map('length')|list
people|groupby(attribute='zip', default='q')|list|length
words|join
words|join(', ')
words|join(d='-')
people|join('+', attribute='name')
[1, none, true]|join
5|join
none|join
'abc'|join('.')
words|join(1)
d|items|list
words|items|list
d|items
none|items|list
d|tojson
[1, 1.0, 'a', none, true, (1, 2)]|tojson
'é<>&\'"\n\x7f\u2028😀'|tojson
'é😀'|tojson(ensure_ascii=true)
'a\x7f<\n'|tojson(ensure_ascii=true)
{'\x7f': '\x7f'}|tojson(ensure_ascii=true)
'é'|tojson(true)
d|tojson(indent=2)
[]|tojson(indent=2)
{}|tojson(indent=2)
[1, [2, {}]]|tojson(indent=1)
[1]|tojson(indent='\t')
[1, 2]|tojson(indent=0)
[1, 2]|tojson(indent=-1)
{'a': 1}|tojson(separators=(',', ':'))
{'a': 1}|tojson(separators=[' , ', ' : '])
[1, 2]|tojson(separators=(',', ':'), indent=1)
{'b': 1, 'a': 2}|tojson(sort_keys=true)
{'b': 1, 1: 2}|tojson(sort_keys=true)
{1: 2, none: 3, true: 4, 1.5: 5}|tojson
{(1, 2): 3}|tojson
words|map('upper')|tojson
d.items()|tojson
range(3)|tojson
namespace(a=1)|tojson
big|tojson
1e400|tojson
-1e400|tojson
1e22|tojson
0.1|tojson
[nothing]|tojson(indent=none)
x|safe
x|safe|tojson
html|e
html|escape
html|forceescape
html|e|e
html|e|forceescape
(html|safe) ~ html
(html|safe) + html
html + (html|safe)
(html|safe)|upper
(html|safe)|replace('<', '[')
(html|safe).replace('a', '<')
(html|safe)|list|first
[html|safe]
(html|safe) == html
(html|safe) is string
(html|safe) is escaped
'a' is escaped
('<%s>'|safe) % html
('<%s>'|safe)|format(html)
('<{}>'|safe).format(html)
('-'|safe).join([html, 'b'|safe])
[html|safe, html]|join
(html|safe)|trim
(html|safe)|indent
('a'|safe)|length
('<b>'|safe)[1:]
('a<b'|safe).split('<')
5|e
none|e
5|safe
html|striptags
'a  <!-- c --> b<i>c</i>'|striptags
lines|indent
lines|indent(2)
lines|indent(2, true)
lines|indent(width=2, first=true, blank=true)
lines|indent('> ')
lines|indent(2, blank=true)
''|indent(2, true)
'{\n'|indent(4, first=true)
'a'|indent
5|indent
none|indent
'hello world'|truncate(5)
'foo bar baz qux'|truncate(9)
'foo bar baz qux'|truncate(9, true)
'foo bar baz qux'|truncate(11)
'foo bar baz qux'|truncate(11, false, '...', 0)
'foo bar baz qux'|truncate(length=9, end='!')
'a'|truncate(1)
'foo bar baz'|truncate(5, leeway=0)
5|truncate
'the quick brown fox jumps'|wordwrap(10)
'abcdefghijklmnop qr'|wordwrap(5)
'abcdefghijklmnop qr'|wordwrap(5, false)
'well-known semi-automatic thing'|wordwrap(8)
'a b c'|wordwrap(3, wrapstring='|')
lines|wordwrap(3)
'a'|wordwrap(0)
'hello big world'|wordcount
5|wordcount
'a'|center(5) ~ '|'
'a'|center ~ '|'
13|filesizeformat
1|filesizeformat
13000|filesizeformat
1234567|filesizeformat(true)
'a b&c/d'|urlencode
{'a b': 1, 'c': 'd&e'}|urlencode
[('a', 1)]|urlencode
{'class': 'a<b', 'id': none, 'n': 1}|xmlattr
{'a b': 1}|xmlattr
{}|xmlattr
42.55|round
42.55|round(1)
42.55|round(1, 'floor')
42.55|round(1, 'ceil')
42.55|round(method='ceil')
2.5|round
3.5|round
0.5|round
1.005|round(2)
5|round
1234|round(-2)
1250|round(-2)
'a'|round
2.5|round(0, 'nope')
-5|abs
-5.5|abs
'a'|abs
true|abs
people[0]|attr('name')
'a'|attr('upper')
d|attr('b')
d|attr('nope')
5 is odd
4 is even
'a' is odd
2.5 is even
6 is divisibleby 3
6 is divisibleby(4)
6 is divisibleby 0
5 is integer
5.0 is integer
true is integer
5.0 is float
true is number
'5' is number
'a' is lower
'A' is upper
5 is lower
'a' is string
words is sequence
d is sequence
5 is sequence
'a' is sequence
d.items() is sequence
words|map('upper') is sequence
words|map('upper') is iterable
range(3) is sequence
range(3) is iterable
none is iterable
d is mapping
words is mapping
d is iterable
none is none
false is false
0 is false
true is true
1 is true
true is boolean
none is boolean
d.get is callable
range is callable
5 is callable
none is sameas none
1 is sameas 1
words is sameas words
'a' is in ['a']
'a' is in 'abc'
5 is in 5
'a' is not in 'b'
1 is eq 1
1 is ne 2
1 is lt 2
1 is ge 2
'a' is lt 1
'upper' is filter
'nope' is filter
'odd' is test
5 is not odd
5 is defined and 3 is odd
x is defined is string
5 is nope
5|nope
5|upper|nope
x.nope is defined
not x is string
range(3)
range(1, 10, 3)
range(3)|list
range(5, 0, -2)|list
range(3)[1]
range(0)|list
range(100000)|length
range(100001)
range(1.5)
range('a')
range()
range(1, 2, 0)
2 in range(3)
dict(a=1, b='x')
dict({'a': 1}, b=2)
dict([('a', 1), ['b', 2]])
dict(['ab'])
dict(1)
dict([1])
dict({'a': 1}, {'b': 2})
dict
dict.fromkeys(['a', 'b'], 1)
namespace(a=1).a
namespace(a=1).b
namespace({'a': 1}, b=2).b
namespace(a=1)
namespace([('a', 5)]).a
namespace(_a=1)
namespace(a=1)['a']
namespace(a=1)._a
namespace(1)
joiner('|')() ~ joiner('|')()
cycler('a', 'b').next()
cycler()
''.__class__
''.__class__.__mro__
x.__len__
x._private
d.__class__
raise_exception('no')
raise_exception(1)
raise_exception()
raise_exception(message='no')
strftime_now('%Y-%m-%d')
strftime_now(format='%H')
strftime_now()
strftime_now(1)
messages[0]['role']
messages[-1].content
messages|map(attribute='role')|list
messages|selectattr('role', 'equalto', 'user')|list
messages|selectattr('role', 'equalto', 'user')|first
(messages|selectattr('role', 'equalto', 'nobody')|first).content
messages[1:]|length
messages[0].content|length
messages is iterable and messages is not mapping
messages[0] == messages[0]
messages[0] in messages
big + 1
big
-big
big * 1.0
big == 123456789012345678901234567890
f|int
f // 1
f ~ ''
1.0 ~ ''
100.0
1e100
n.real
f.is_integer()
n.bit_length()
1|string
1.5|string ~ 'x'
[1]|string
none|string
(1).real
f(1)
x()
d()
5()
none()
words(1)
x.upper(1)
x.upper(a=1)
x|upper(1)
x|length(1)
*x
[*words]
f(**d)
dict(**d)
dict(*[[('a', 1)]])
1 in [1] == true
'a' 'b' ~ 'c'
a if
[1, 2
{1}
x[
x[1:2, 3]
x..y
x.
x|
x is
1 +
not
'unclosed
x == = y
x = y
lambda: 1
x!y
$
x;y
"a" if x else
true.x
True
None
none
False
NONE
-big
-(-big)
+big
-'a'
+none
(1, 2) * 2
2 * (1,)
[1] * 2
2 * 'ab'
range(3) == range(3)
range(0) == range(2, 2)
range(1) == range(0, 1, 5)
range(0, 4, 2) == range(0, 3, 2)
range(0, 4, 2) == range(0, 4, 3)
range(3) == [0, 1, 2]
d.keys() == d.keys()
d.keys() == dict(b=1).keys()
dict(a=1).keys() == dict(a=2).keys()
dict(a=1).keys() == dict(b=2).keys()
1.5 < 2
2.5 in [1, 2.5]
3 in range(5, 0, -2)
7 in range(5, 0, -1)
2 in range(5, 0, -2)
'1' in range(5)
1.0 in range(5)
'b' in d.keys()
1 in d.values()
('b', 1) in d.items()
joiner('; ').sep
joiner().used
joiner().other
f.real
f.imag
f.other
range(1, 7, 2).start
range(1, 7, 2).stop
range(1, 7, 2).step
range(1, 7, 2).other
words[big:]
words[:-big]
words[-big:big]
words['a':]
words[:2.5]
1 - 'a'
1 * none
'a' / 2
'a' // 2
none % 2
'a' ** 2
(-1) ** 3
(-1) ** 4
(-1) ** -3
2.5 // 0
2.5 % 0
10.0 ** 400
0.0 % -3
-0.0 % 3
dict([('a', 1), ('b', 2), ('a', 3)])
{[1]: 2}
{{}: 2}
{(1, 'a'): 1}[(1, 'a')]
{(1, 'a'): 1}[(1, 'b')]
{none: 1}[none]
{true: 1}[1]
d.keys() + 1
d.values() + 1
d.items() + 1
joiner() + 1
cycler(1) + 1
range(2) + 1
big == big
big == 3
3 == big
big == 123456789012345678901234567890
big < 3
big > 3
big < 1.5
big == 1.5
big in [1, big]
{big: 1}[big]
1 if range(0) else 2
1 if range(2) else 2
1 if d.keys() else 2
1 if dict().values() else 2
cycler(1) == cycler(1)
joiner() == joiner()
dict == dict
range == dict
namespace() == namespace()
words|map('upper') == words|map('upper')
words.upper
words.upper()
true in range(5)
1.5 in range(5)
1e300 in range(5)
-2.0 in range(-4, 0, 2)
-3.0 in range(-4, 0, 2)
1 is in(seq=[1])
3 is in(seq=[1])
6 is divisibleby(num=4)
5 is filter
[] is filter
'upper' is test
('x', 1) is filter
([], 1) is filter
0|abs
(-big)|abs
big|abs
(-(('9' * 45)|int))|abs
(('9' * 45)|int)|abs
-(('9' * 45)|int)
+(('9' * 45)|int)
-(-(('9' * 45)|int))
-0.0|abs
{(1, 2): 3}[1, 2]
{(1, 2): 3}[(1, 2)]
words[0:2, 1]
words[::]
words[0:2:]
words[:2:]
words[0:1 2]
words[1:1:1]
none|default(dict, true)()
none|default(range, true)(2)|list
'a' not x 'abc'
1 not 2
dict(*[], a=1)
dict(a=1, *[])
dict(a=1, *[[('b', 2)]])
dict(*[[('b', 2)]], a=1)
dict(*[[('b', 2)]], a=1, **{'c': 3})
dict(a=1, *[[('b', 2)]], c=4, **{'d': 3})
dict(*[], *[])
dict(**{}, **{})
dict(**{}, *[])
dict(**{'a': 1}, b=2)
dict(**{'a': 1}, 2)
dict(*[], 2)
dict(a=1, [])
dict(a=1, a=2)
dict(a=1, **{'a': 2})
dict(a=1, **{1: 2})
dict(a=1, **[])
dict(*5)
range(*[1, 3])|list
range(*(1, 7), *[2])|list
1 is odd is even
1 is sameas
1 is eq
1 is in
1 is divisibleby
1 is odd(2)
1 is defined(2)
1 is not sameas 2
true is sameas true
true is sameas false
'a' is sameas 'a'
d is sameas d
[1] is sameas [1]
{} is sameas {}
'pprint' is filter
'random' is filter
'urlize' is filter
'\N{BULLET}abcdefghijklmnop'
'\ud800'
'\U00110000'
('nan'|float)|int
('nan'|float)|int(5)
('inf'|float)|int
15|round(-1)
25|round(-1)
35|round(-1)
14|round(-1)
16|round(-1)
-15|round(-1)
-25|round(-1)
-14|round(-1)
149|round(-2)
150|round(-2)
151|round(-2)
250|round(-2)
5|round(-1)
4|round(-1)
12345|round(-3)
12345|round(-9)
0|round(-1)
15|round(0)
[[1, 2]]|map(attribute='-1')|list
[[1, 2]]|map(attribute='1')|list
[[1]]|map(attribute='+0')|list
[{'': 1}]|map(attribute='')|list
[{'a': {'bc': {'d': 5}}}]|map(attribute='a.bc.d')|list
[{'a': [7, 8]}]|map(attribute='a.1')|list
[{'a': [7, 8]}]|sum(attribute='a.1')
people|sort(attribute='age,name')|map(attribute='name')|join(',')
people|sort(attribute='age,name,age')|map(attribute='name')|join(',')
people|sort(attribute='name,age')|map(attribute='name')|join(',')
people|sort(attribute='nope,age,name')|map(attribute='name')|join(',')
{'a': 2, 'b': 1}|dictsort(by='value')
{'a': 2, 'b': 1}|dictsort(by='key')
{'a': 2, 'b': 1}|dictsort(by='nope')
[1, 2, 3]|batch(linecount=2)|list
[1, 2, 3]|slice(slices=2)|list
[1, 2, 3]|batch(slices=2)|list
[1, 2, 3]|slice(linecount=2)|list
[{'n': 'a'}, {'n': 'A'}, {'n': 'b'}]|groupby('n')
[{'n': 'B'}, {'n': 'A'}, {'n': 'a'}]|groupby('n', case_sensitive=true)
[{'n': 'B'}, {}, {'n': 'a'}]|groupby('n', default='Z')
people|groupby('name')|map('first')|list
namespace(a=1)|attr('a')
namespace(a=1)|attr('b')
namespace(a=1)|attr('_a')
'abcdefghijkl'|truncate(3)
'abcdefghijkl'|truncate(3, true)
'abcdefghijkl'|truncate(2)
'abcdefghijkl'|truncate(4, true, leeway=0)
999|filesizeformat
1000|filesizeformat
1001|filesizeformat
999999|filesizeformat
1000000|filesizeformat
1023|filesizeformat(true)
1024|filesizeformat(true)
1048576|filesizeformat(true)
0|filesizeformat
1.5|filesizeformat
{'a/b': 'c/d e'}|urlencode
'a/b c'|urlencode
{'a': 1, 'b': 2}|xmlattr
{'a': 1, 'b': 2}|xmlattr(false)
{'a': none, 'b': 2, 'c': 3}|xmlattr(false)
'&amp;&lt;&gt;&quot;&#39;&apos;&nbsp;|&#65;&#x41;&#X42;'|striptags
'a & b &amp c d &#65 e'|striptags
'x &amp;amp; y'|striptags
'%*d|' % (-5, 3)
'%*d|' % (5, 3)
'%*d|' % (0, 3)
'%-*d|' % (5, 3)
'%.*f|' % (2, 3.14159)
'%*.*f|' % (8, 2, 3.14159)
'%*d' % ('a', 3)
'%*d' % (3,)
'%s %s' % [1]
'a' % [1]
'a' % {'b': 1}
'%(b)s' % {'b': 1, 'c': 2}
'%(b)s' % {'c': 2}
'%(b)s' % 5
'a' % 5
'a' % (1,)
'a' % ()
'a%' % ()
'%s' % ()
'%s' % html
'%s'|safe % html
'<b>%s</b>'|safe % html
'<b>%s</b>'|safe|format(html)
'%c' % 'ab'
'%c' % 'a'
'%c' % 65
'%c' % -1
'%.0c|' % 'a'
'%.1s|' % 'abc'
'%5c|' % 'a'
'%x' % 1.5
'%x' % 2.0
'%i' % -1.9
'%d' % ('inf'|float)
'%d' % ('nan'|float)
'%x' % 0
'%x' % -255
'%o' % -8
'%X' % -255
'%d' % 0
'%d' % -0
'%d' % big
'%x' % big
'%d' % (('9' * 45)|int)
'{:d}'.format(('9' * 45)|int)
'{:x}'.format(-255)
'{:b}'.format(0)
'{:o}'.format(8)
'{:,}'.format(big)
lipsum is defined
1._5
0x_f
1e_5
1_0
1_
1__0
1_000_000
1e
1e+
1.5e
1.5e3
1.5E+3
1e-2
1 if 0.5else 2
1 if 0else 2
'a'|length > 0
''|length > 0
words|length > 0
[]|length > 0
5|length > 0
d|length > 0
undefined_name|length > 0
words|length > 1
(1, 2).count(1)
(1, 2).index(2)
range(3).count(1)
range(3).index(2)
range(3).nope
(1, 2).append
(1, 2).copy
(1, 2).copy()
range(3).start
range(3).stop
range(3).real
n.imag
n.numerator
n.denominator
true.denominator
true.real
n.bit_count()
n.conjugate()
f.conjugate()
2.0.is_integer()
n.is_integer()
f.bit_length()
dict.fromkeys(['a', 'b'])
dict.fromkeys
dict.nope
{}.fromkeys(['a'], 2)
{}.fromkeys(['a'])
joiner.fromkeys
cycler.fromkeys(['a'])
cycler(1, 2).items
cycler(1, 2).current
cycler(1, 2).nope
joiner('x').sep
joiner('x').used
joiner('x').nope
words.index('C', 1)
words.index('b', 1)
words.index('a', 0, 1)
words.index('a', 0, 2)
['a', 1, 1.0, true].count(1)
[none, none].count(none)
[none].index(none)
[[1], [2]].index([2])
'<b>{}</b>'|safe|attr('format')
('<b>{}</b>'|safe).format(html)
('<b>{x}</b>'|safe).format(x=html)
'{0} {x}'.format_map({'x': 1})
('<'|safe).join([html, 1])
','.join(['a', 1])
('a b'|safe).split(' ')
('a b'|safe).split(sep=' ')
(','|safe).join(words) is escaped
('ab'|safe)[0] is escaped
('ab'|safe)|upper is escaped
('a<'|safe).upper() is escaped
(('a'|safe) + '<') is escaped
('a'|safe) + '<'
'<' + ('a'|safe)
('a'|safe) ~ '<'
('<a>'|safe) * 2
[('<a>'|safe)]
'abcabc'.find('b', -1)
'abcabc'.find('b', -5)
'abcabc'.find('', 3, 2)
'abcabc'.find('', 2, 3)
'abcabc'.find('', 3, 3)
'abcabc'.find('', 7)
'abcabc'.find('', 6)
'abcabc'.find('', -2, -4)
'abcabc'.find('', -4, -2)
'abcabc'.find('', 0, 0)
'abcabc'.find('', none, 0)
'abcabc'.find('', 1, 0)
'abcabc'.find('', 9, 2)
'abcabc'.find('', 0, -9)
'abcabc'.find('', 1, -9)
'abcabc'.find('a', none, none)
'abcabc'.find('c', none, 2)
'abcabc'.find('c', none, 3)
'abcabc'.count('', 2, 2)
'abcabc'.count('', 3, 2)
'abcabc'.rfind('', 3, 2)
'abcabc'.rfind('', 2, 2)
'abcabc'.startswith('', 3, 2)
'abcabc'.endswith('', 6)
'abcabc'.endswith('', 7)
'abcabc'.startswith('', 2, 2)
'abc'.find('c', 'x')
'äbcäbc'.find('c', 3)
'äbcäbc'.find('ä', 1)
'äbcäbc'.rfind('ä')
'äbcäbc'.index('c')
'a\tb\tc'.expandtabs(4)
'ab\n\tc'.expandtabs(4)
'abcd\te'.expandtabs(4)
'\t\tx'.expandtabs(3)
'a\tb'.expandtabs(0)
'a\tb'.expandtabs(1)
'abc\tdefg\th'.expandtabs(2)
+'a'
-none
'a' * true
[1] * true
'a' * big
'a' * (('9' * 45)|int)
'a' * 1.5
[1] * none
words[true]
words[false]
words[1.0]
words[big]
words[('9' * 45)|int]
words[(-(('9' * 45)|int)):]
words[(('9' * 45)|int):]
words[:('9' * 45)|int]
words[1.5:]
words[none:none:none]
range(('9' * 45)|int)
range(undefined_name)
range(true)|list
range(0, 10, 3)|list
range(10, 0, -3)|list
range(10, 0, -3)|length
range(10, 0, -4)|length
range(0, 10, 5)|length
range(0, 9, 5)|length
range(5, 0)|list
range(0, 5, -1)|list
range(0, 5, 0)
range(-3, 3)|list
range(0) == range(5, 0)
range(3) == range(0, 3)
range(3) == range(0, 3, 2)
range(2, 7, 3)[1]
range(2, 7, 3)[-1]
range(7, 2, -3)[1]
range(3)[3]
9 in range(0, 10, 3)
8 in range(0, 10, 3)
0 in range(0, 10, 3)
10 in range(0, 10, 3)
10 in range(10, 0, -3)
7 in range(10, 0, -3)
1 in range(10, 0, -3)
0 in range(10, 0, -3)
11 in range(10, 0, -3)
-1 in range(3)
3 in range(3)
0 in range(0)
('9' * 45)|int in range(3)
'a' in range(3)
5 in range(5, 6)
6 in range(5, 6)
5 in range(5, 4, -1)
4 in range(5, 4, -1)
3.0 in range(5)
x == '[INST]'
x ~ '' == '[INST]'
(x ~ 'a') == '[INST]a'
(x ~ 'a') == '[INST]b'
(x ~ 'a') != '[INST]a'
(x ~ 'a') == (x ~ 'a')
(x ~ 'a') == (x ~ 'b')
(x ~ 'a') == 5
n == 'a'
n != 'a'
'a' == x
1 < 1
1 <= 1
2 < 1
2.0 < 2
2 < 2.5
big < big
big <= big
big < big + 1
big + 1 < big
big > big
9007199254740993 < 9007199254740992
9007199254740992 < 9007199254740993
9007199254740993 == 9007199254740992
9007199254740993 == 9007199254740992.0
9007199254740993.0 == 9007199254740993
'a' <= 'a'
'a' >= 'b'
[1, 2] <= [1, 2]
[1, 2] < [1, 2]
[1, 2] >= [1, 3]
[1, 2, 3] < [1, 2]
(1, 2) < (1, 2, 3)
(1, 'a') < (1, 2)
true < 2
false < true
namespace(a=1)['_a']
namespace(a=1)['a' ~ '']
namespace(a=1)['b' ~ '']
('a', 'b').grouper
('a', 'b').list
(people|groupby('age')|first).grouper
(people|groupby('age')|first).list|length
(people|groupby('age')|first).nope
(people|groupby('age')|first)[0]
((people|groupby('age')|first) + (1,)).grouper
((people|groupby('age')|first) + ()).grouper
undefined_name['a' ~ 'b']
n['a' ~ 'b']
d['b' ~ '']
d['item' ~ 's']
d['pop' ~ '']
d['key' ~ 's']()|list
words['append' ~ '']
words['coun' ~ 't']('a')
'abc'['upp' ~ 'er']()
'abcdef'[1:4:1]
'abcdef'[4:1]
'abcdef'[4:1:-2]
'abcdef'[5:0:-2]
'abcdef'[5:1:-2]
'abcdef'[::2]
'abcdef'[::3]
'abcdef'[1::2]
'abcdef'[:5:2]
'abcdef'[-1::-2]
'abcdef'[9::-1]
'abcdef'[:9]
'abcdef'[-9:]
'abcdef'[-9:-3]
'abcdef'[:-9]
'abcdef'[:-9:-1]
'abcdef'[2:2]
'abcdef'[2:1]
'abcdef'[6:]
'abcdef'[0:6]
'abcdef'[-6:]
'abcdef'[-7:2]
'äöü'[1:]
'äöü'[1:2]
'äöü'[::-1]
'äöü'[-1]
words[0:3]
words[3:]
words[-3:]
words[-4:1]
words[2:0:-1]
words[:0:-1]
words[2::-1]
words[3::-1]
words[-1:-3:-1]
[0, 1, 2, 3, 4, 5, 6][5:0:-2]
[0, 1, 2, 3, 4, 5, 6][::-3]
[0, 1, 2, 3, 4, 5, 6][6:0:-3]
[0, 1, 2, 3, 4, 5, 6][0:6:3]
[0, 1, 2, 3, 4, 5, 6][0:7:3]
[0, 1, 2, 3, 4, 5, 6][::9223372036854775807]
[0, 1, 2, 3, 4, 5, 6][::-9223372036854775807]
(('9' * 45)|int) + 1.5
1.5 + (('9' * 45)|int)
(('9' * 45)|int) * 2.0
(('9' * 45)|int) == (('9' * 45)|int)
(('9' * 45)|int) == (('8' * 45)|int)
(('9' * 45)|int) == 5
5 == (('9' * 45)|int)
(('9' * 45)|int) == 1.5
(('9' * 45)|int) < 1.5
(('9' * 45)|int) > 1
{('9' * 45)|int: 1}
(('9' * 45)|int)|tojson
[('9' * 45)|int]
1 / 0.0
0 / 1
7 / 2
7 // 0
7 % 0
7.0 // 0
7.0 % 0
7 // 0.0
1.5 // 0.0
0 // 5
-1 // 5
1 // -5
-5 // 5
5 // -5
-6 // 5
6 // -5
-6 // -5
6 // 5
0 // -5
0 % 5
0 % -5
-1 % 5
1 % -5
-5 % 5
5 % -5
-6 % -5
6 % 5
-10 % 5
10 % -5
0 ** 0
0 ** 5
1 ** 5
1 ** 0
(-1) ** 0
(-1) ** 1
(-1) ** 2
(-2) ** 3
2 ** 0
2 ** 10
10 ** 30
10 ** 38
0.0 ** -1
0.0 ** -1.5
0.0 ** 0
0.0 ** 0.5
0.0 ** 1
-0.0 ** -1
(-0.0) ** -1
2.0 ** -1
(-2) ** -1
(-2) ** -2
(-8.0) ** 2.0
(-8.0) ** -2.0
0.0 ** 0.25
(-0.0) ** 0.5
8.0 ** 0.5
(-8.0) ** ('inf'|float)
2.0 ** 1024
2.0 ** 1023
7.5 // 2.5
-7.5 // 2.5
7.5 // -2.5
7.5 % 2.5
-7.5 % 2.5
7.5 % -2.5
-7.5 % -2.5
7.0 % 2
-7.0 % 2
7.0 % -2
-7.0 % -2
0.0 % 3
(-0.0) % -3
6.0 % -3
-6.0 % 3
1.0 // 3
-1.0 // 3
('nan'|float)|tojson
('inf'|float)|tojson
(-('inf'|float))|tojson
['nan'|float, 'inf'|float]|tojson
['\r\n\t']
['a\rb']
{'a': '\r'}
{'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8, 'i': 9, 'j': 10, 'k': 11, 'l': 12, 'm': 13, 'a': 14, 'm': 15, 'n': 16}
{'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8, 'i': 9, 'j': 10, 'k': 11, 'l': 12}['l']
{'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8, 'i': 9, 'j': 10, 'k': 11, 'l': 12, 'm': 13}['m']
{'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8, 'i': 9, 'j': 10, 'k': 11, 'l': 12, 'm': 13}.a
{'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8, 'i': 9, 'j': 10, 'k': 11, 'l': 12, 'm': 13}.z
{'a': 1, 1: 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8, 'i': 9, 'j': 10, 'k': 11, 'l': 12, 'm': 13, 1: 14, 'c': 5}
'm' in {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8, 'i': 9, 'j': 10, 'k': 11, 'l': 12, 'm': 13}
{1: 'a', 2: 'b', 'x': 'c'}['x']
{(x ~ 'k'): 1, 'b': 2}[x ~ 'k']
{(x ~ 'k'): 1, 'b': 2}['[INST]k']
{big: 1, 2: 3}[2]
{1.5: 1, none: 2, true: 3}[none]
{d.keys(): 1}
{d.items(): 1}
{d.values(): 1}
{([],): 1}
{(1, []): 1}
{([1], 2): 1}
{((1, 2), 3): 1}
[true] == [1]
true == true
true == false
[true, true].index(true)
[true, false].index(false)
['a', 'b'] == ['a', 'b']
['ab', 'cd'] == ['ab', 'cx']
d == d
d == {}
[d] == [d]
('nan'|float) == ('nan'|float)
['nan'|float] == ['nan'|float]
1 is sameas 1.0
'ab' is sameas 'ab'
true is sameas 1
[x ~ 'a', x ~ 'b', x ~ 'a']|unique|list
['a', 'A', 'b']|unique|list
['a', 'A', 'b']|unique(true)|list
[x ~ 'b', x ~ 'a']|sort
[x ~ 'b', x ~ 'a']|max
((x ~ 'b') * 3)[4:11]
(x ~ x)|replace(x, 'y' ~ x)
(x ~ 'ab' ~ x)[5:9]
(x ~ 'äb' ~ x)[6:8]
(x ~ 'ab' ~ x)|length
(x ~ '')|length
('' ~ '')|length
('' ~ '') == ''
(x ~ x)|first
(x ~ x)|last
(x ~ x)|reverse
(x ~ x).split('T]')
(x ~ x).partition('][')
(x ~ html)|e
(x ~ u).center(40)
'é'|first
''|first
''|last
5|last
words|map('upper')|reverse|list
5|reverse|list
[1, [2]]|map('first')|list
[5]|map('first')|list
5|select|list
words|map(5)|list
words|map(nope='x')|list
words|map(attribute='x', nope=1)|list
words|select('nope')|list
words|select(5)|list
words|selectattr|list
words|map('upper')|map('lower')|list
[1, 0, 2]|select|list
[1, 0, 2]|reject|list
[1, 0, 2]|select('odd')|list
[1, 0, 2]|select('gt', 0)|list
people|rejectattr('age', 'equalto', 3)|map(attribute='name')|list
people|selectattr('nope')|list
people|rejectattr('nope')|list|length
people|map(attribute='nope', default='Z')|list
people|map(attribute='name', default='Z')|list
[{'a': none}]|map(attribute='a', default='Z')|list
d.items()|map('last')|list
d|items|map('first')|list
5|items|list
d|attr('items')
d|attr('keys')
d|attr(5)
n|attr('real')
x|attr('upper')
undefined_name|attr('a')
cycler('a')|attr('current')
words|join(',', attribute='x')
people|join(',', attribute='name')
[5]|join(',')
[none]|join
[x]|join(',')
(5,)|join(',')
[html|safe, '<']|join(',')
[html, '<'|safe]|join('&')
'abc'|join('-')
d|join(',')
[1, 2]|sum
[1, 2]|sum(start=10)
['a']|sum(start='')
people|sum('age', 5)
['b', 'A', 'c']|min
['b', 'A', 'c']|min(true)
['b', 'A', 'c']|max
['b', 'A', 'c']|max(true)
people|min(attribute='age')
[]|min
[]|max
[1, 1.0]|min
[1, 1.0]|max
[1.0, 1]|max
[1, 2, 3, 4, 5]|slice(3)|list
[1, 2, 3, 4, 5]|slice(3, 'x')|list
[1, 2, 3, 4]|slice(2, 'x')|list
[1, 2]|slice(3)|list
[1, 2]|slice(-1)|list
[1, 2, 3]|batch(3, 'x')|list
[1, 2, 3]|batch(0)|list
[1, 2, 3]|batch(-1)|list
[]|batch(2)|list
[]|batch(2, 'x')|list
'a\nb'|indent
'a\nb'|indent(2)
'a\nb'|indent(2, true)
'a\n\nb'|indent(2, false, true)
'a\n\nb'|indent(2)
'a\nb\n'|indent(2)
'a\nb'|indent('> ')
'a\nb'|indent('> ', first=true, blank=true)
''|indent(first=true)
'\n'|indent(2, blank=true)
'a\r\nb'|indent(2)
'foo bar baz'|truncate(7)
'foo bar baz'|truncate(7, true)
'foo bar baz'|truncate(7, false, '…')
'foo bar baz'|truncate(9, leeway=0)
'foo bar baz'|truncate(11, leeway=0)
'foo bar baz'|truncate(10, leeway=0)
'foo bar baz'|truncate(6)
'foo bar baz'|truncate(5, leeway=-1)
'foo bar baz qux'|truncate(10, leeway=none)
'foobarbazquxquux'|truncate(9)
'foo bar baz'|wordwrap(5)
'foo bar baz'|wordwrap(7)
'foobarbaz'|wordwrap(4)
'foobarbaz'|wordwrap(4, false)
'foo-bar baz'|wordwrap(5)
'foo-bar baz'|wordwrap(5, break_on_hyphens=false)
'foo bar'|wordwrap(3, wrapstring='|')
'a\n\nb c'|wordwrap(1)
'foo bar'|wordwrap(0)
'foo bar'|wordwrap(1)
'a b c'|wordcount
''|wordcount
'one,two three-four'|wordcount
'abc'|center(9) ~ '|'
'abc'|center(2)
'abc'|center
5|center(5)
'%s-%s'|format('a', 1)
'%(a)s'|format(1, a=1)
'%s'|format
'abc'|format
1 ** 5000000000
0 ** 5000000000
(-1) ** 5000000000
(-1) ** 5000000001
range(8, 0, -4)|list
range(8, 0, -4)|length
'ab' in (['ab', 'c']|map('lower'))
'abc' in (['ab', 'c']|map('lower'))
'a'.striptags
'a'.unescape is defined
('a'|safe).nope
('a'|safe).striptags is defined
"""

# Codes of strftime.
CODES = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZf%+EQLJiNoqv"
TIMES = [0, 951782400, 1735603199, 1735689599, -1, 1740873600, NOW, 1704067200, 1609459200, 1483228800, 1072915200, 1230768000, 68256000, 4102444799, 951868799 + 86399]
FLAGS = ["%-d", "%_d", "%0e", "%-e", "%-I", "%-m", "%-j", "%_H", "%-H", "%^a", "%^B", "%#p", "%#a", "%#B", "%10Y", "%5d", "%_5d", "%05e", "%-5d", "%^p", "%^c", "%Ey", "%Od", "%EY", "%5%", "%_10B", "%010B", "%10F", "%-y", "%_y", "%_m/%_d", "%-S", "%-M", "%", "a%", "%-", "%%%", "%5", "%E", "x%%y", "%d %B %Y", "%A, %d. %b", "日%d", "%日", ""]

# Whole templates.
TEMPLATES = r"""
{% for t in none %}{{ t }}{% endfor %}x
{% for t in undefined_name %}{{ t }}{% else %}none{% endfor %}x
{% for t in 5 %}{% endfor %}
{% for c in 'abc' %}{{ c }}-{% endfor %}
{% for k in d %}{{ k }},{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}
{% for k, v in d|items %}{{ k }}={{ v }};{% endfor %}
{% for k, v in words %}{% endfor %}
{% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}
{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{% endfor %}
{% for a, b in [[1]] %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for i in 1, 2, 3 %}{{ i }}{% endfor %}
{% for w in words %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}
{% for w in words %}{{ loop.previtem }}<{{ w }}>{{ loop.nextitem }} {% endfor %}
{% for w in words %}{{ loop.previtem.x }}{% endfor %}
{% for w in words %}{{ loop.cycle('x', 'y') }}{{ loop.changed(w|lower) }}{% endfor %}
{% for w in words %}{{ loop }}{% endfor %}
{% for w in words %}{{ loop.nope }}|{{ loop['index'] }}{% endfor %}
{% for w in words %}{% for v in words %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}
{% for w in words if w != 'a' %}{{ w }}{{ loop.index }}{{ loop.last }}{% else %}none{% endfor %}
{% for w in words if w == 'z' %}{{ w }}{% else %}none{% endfor %}
{% for w in words %}{% if w == 'a' %}{% continue %}{% endif %}{{ w }}{% endfor %}
{% for w in words %}{% if w == 'a' %}{% break %}{% endif %}{{ w }}{% else %}E{% endfor %}
{% for w in words %}{% break %}{% else %}E{% endfor %}
{% for w in words %}{% continue %}{% else %}E{% endfor %}
{% break %}
{% if true %}{% continue %}{% endif %}
{% for w in words|map('upper') %}{{ w }}{{ loop.last }}{{ loop.length }}{% endfor %}
{% set g = words|map('upper') %}{% for w in g %}{{ w }}{% endfor %}{% for w in g %}{{ w }}{% endfor %}{{ g|list }}
{% set ns = namespace(n=0) %}{% for m in messages if ns.n < 2 %}{% set ns.n = ns.n + 1 %}{{ m.role }},{% endfor %}
{% for n in [1, [2, [3]]] recursive %}{% if n is iterable %}({{ loop(n) }}){% else %}{{ n }}{{ loop.depth }}{% endif %}{% endfor %}
{% for n in [1, 2] %}{{ loop([3]) }}{% endfor %}
{% set y = 1 %}{% for i in [1, 2] %}{% set y = y + i %}{{ y }}{% endfor %}{{ y }}
{% for i in [1, 2] %}{% if loop.first %}{% set seen = 1 %}{% endif %}{{ seen }}{% endfor %}
{% set y = 1 %}{% if true %}{% set y = 2 %}{% endif %}{{ y }}
{% if false %}{% set z = 1 %}{% endif %}{{ z is defined }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}
{% set a, b = [1] %}
{% set (a, b) = (1, 2) %}{{ b }}
{% set a = 1, %}{{ a }}
{% set ns = namespace(a=1) %}{% set ns.b = 2 %}{{ ns.a + ns.b }}
{% set d.b = 2 %}
{% set nope.b = 2 %}
{% set ns = namespace() %}{% set ns._b = 2 %}
{% set ns = namespace() %}{% set ns.a, y = 1, 2 %}{{ ns.a }}{{ y }}
{% set ns = namespace(l=[]) %}{% for w in words %}{% set ns.l = ns.l + [w] %}{% endfor %}{{ ns.l }}
{% set ns = namespace(a=1) %}{{ ns.a is defined }}{{ ns.b is defined }}{{ ns.b }}
{% set y %}a{{ n }}b{% endset %}[{{ y }}]{{ y|length }}
{% set y | upper | replace('A', 'z') %}a{{ n }}b{% endset %}{{ y }}
{% set y %}{% set z = 5 %}{{ z }}{% endset %}{{ y }}{{ z is defined }}
{% for i in [1, 2] %}{% set y %}{% break %}{% endset %}{% endfor %}x
{% set true = 1 %}
{% set 1 = 1 %}
{% set 'a' = 1 %}
{% set loop = 5 %}{{ loop }}
{% for loop in [1] %}{% endfor %}
{% filter upper %}a{{ x }}{% endfilter %}
{% filter replace('a', 'b')|upper %}aa{% endfilter %}
{% filter nope %}a{% endfilter %}
{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}
{% set a = 5 %}{% with a = 1, b = a %}{{ b }}{% endwith %}{{ a }}
{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}
{% macro f(a, b=2, c='x') %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ f(1) }}{{ f(1, c='y') }}{{ f(b=5, a=4) }}{{ f() }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, a=2) }}
{% macro f(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}{{ f(1, none) }}{{ f(1, nope) }}
{% macro f(a=1, b) %}{% endmacro %}
{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, a=3) }}{{ f() }}
{% macro f(a) %}{{ a }}{{ varargs|join }}{% endmacro %}{{ f(1, 2, 3) }}
{% macro f() %}{{ caller() }}|{{ caller() }}{% endmacro %}{% call f() %}x{{ n }}{% endcall %}
{% macro f() %}{{ caller(1, b=2) }}{% endmacro %}{% call(a, b=0) f() %}{{ a }}{{ b }}{% endcall %}
{% macro f() %}{{ caller is defined }}{% endmacro %}{{ f() }}
{% macro f() %}x{% endmacro %}{% call f() %}y{% endcall %}
{% call d.get('b') %}y{% endcall %}
{% call x %}y{% endcall %}
{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}
{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}
{% macro f() %}{{ y }}{% endmacro %}{% set y = 1 %}{{ f() }}{% set y = 2 %}{{ f() }}
{% macro f() %}{% set q = 1 %}{{ q }}{% endmacro %}{{ f() }}{{ q is defined }}
{% set ns = namespace(n=0) %}{% macro f() %}{% set ns.n = ns.n + 1 %}{% endmacro %}{{ f() }}{{ f() }}{{ ns.n }}
{% macro f() %}{{ loop is defined }}{% endmacro %}{% for i in [1] %}{{ f() }}{% endfor %}
{% for i in [1, 2] %}{% macro f() %}{{ i }}{{ loop.index }}{% endmacro %}{{ f() }}{% endfor %}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f }}{{ f.name }}{{ f.arguments }}
{% macro f(a) %}<{{ a }}>{% endmacro %}{{ f(x)|upper }}{{ f(x) ~ 'y' }}{{ f(1)|length }}{{ [f(1), f(2)] }}
{% macro f(a) %}{% for i in a %}{{ i }}{% endfor %}{% endmacro %}{% for w in words %}{{ f(w) }}{% endfor %}
{% macro f(a, a) %}{% endmacro %}
{% macro f(true) %}{% endmacro %}
{% generation %}a{{ n }}{% endgeneration %}b
{% for i in [1, 2] %}{% generation %}{{ loop.index }}{% endgeneration %}{% endfor %}
{% for i in [1, 2] %}{% generation %}{% break %}{% endgeneration %}{% endfor %}
{% generation %}{% set q = 1 %}{{ q }}{% endgeneration %}{{ q is defined }}
{% set y = 1 %}{% generation %}{{ y }}{% set y = 2 %}{{ y }}{% endgeneration %}{{ y }}
{% generation x %}{% endgeneration %}
{% generation %}a
{% block a %}b{{ n }}{% endblock %}
{% block a %}b{% endblock a %}
{% print n, x %}
{% do words.append(1) %}
{% include 'a' %}
{% if false %}{% include 'a' %}{% endif %}x
{% import 'a' as b %}
{% from 'a' import b %}
{% extends 'a' %}
{% nope %}
{% if true %}
{% if %}{% endif %}
{% endif %}
{% else %}
{% if true %}a{% elif x %}b{% else %}c{% endif %}
{% if 0 %}a{% elif n == 3 %}b{% else %}c{% endif %}
{% if 0 %}a{% elif 0 %}b{% else %}c{% endif %}
{% if true: %}a{% endif %}
{% if 1, %}a{% endif %}
{% if a if b else c %}{% endif %}
{% for x in words: %}{{ x }}{% endfor %}
{% if x == 'y' %}{{ 5|nope }}{% endif %}z
{{ 5|nope if false else 1 }}
{% macro f() %}{{ 5|nope }}{% endmacro %}z
{% if false %}{% for i in [1] %}{{ i|nope }}{% endfor %}{% endif %}z
{% if false %}{{ 1 is nope }}{% endif %}z
{% raw %}
{{ a }}
{% endraw %}
b
{% raw %}{{ a }}{% endraw %}{% raw -%} x {%- endraw %} y
  {% raw %} a {% endraw +%}
 b
{%- raw -%}
  {% if %}
{%- endraw -%}
 c
{% raw %}{% raw %}{% endraw %}
{% raw %}a
{# comment {{ x }} #}a
a {#- c -#} b
a
  {# c #}
b
  {#+ c +#}
c
{#-#}x
{#--#} x
{# unclosed
a {{- n -}} b
a {{+ n }} b
a {{ n +}} b
  {% if true %}
  a
  {% endif %}
  b
  {%+ if true %}
  a
  {% endif +%}
  b
  {%- if true -%}
  a
  {%- endif -%}
  b
x {% if true %} y {% endif %} z
	 {% if true %}
a{% endif %}
	
a
{{ n }}
{{ n }}

a{% if true %}

b{% endif %}

{{ '}}' }}{{ "%}" }}{{ {'a': {'b': 1}}.a.b }}{{ {} }}
{{ {'a': 1}}}
{{ {'a': {}}}}
{% set y = {'a': 1} %}{{ y }}
{{ '{{' }}{{ '{%' }}{{ '{#' }}
{ { a } } { % b % }
{{ "a
b" }}
{{ 'a' }
{{ 'a' %}
{{ ) }}
{{ (] }}
{{ }}
{% %}
{{ n }}{# a #}{% if 1 %}{% endif %}
{% autoescape false %}{{ html }}{% endautoescape %}
{% trans %}a{% endtrans %}
{% for i in range(3) %}{{ loop.index }}{% endfor %}{{ loop is defined }}
{% set loop_messages = messages[1:] %}{% for m in loop_messages %}{{ m['role'] }}{% endfor %}
{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{% endfor %}
{{ '' if n else 'x' }}{{- '' }}
{% if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set messages = messages[1:] %}{% endif %}{{ system }}{{ messages|length }}
{% set content = messages[0].content.split('k')[-1].lstrip('i') %}{{ content }}
{% for m in messages %}{{ m.role.upper() ~ ': ' ~ m.content|trim }}
{% endfor %}
{{ messages | map(attribute='content') | join('\n') }}
{%- for m in messages -%}
    {{ m.role }}
    {%- if not loop.last %}, {% endif -%}
{%- endfor -%}
é{{ u }}日
{% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% else %}none{% endif %}
{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.current }}
{% set j = joiner() %}{% for w in words %}{{ j() }}{{ w }}{% endfor %}
{{ self.a() }}
{{ super() }}
{{ caller() }}
{{ varargs }}
{{ kwargs }}
{% set x = x ~ 'y' %}{{ x }}
{% for x in [x] %}{{ x }}{% endfor %}{{ x }}
{% macro m(x) %}{{ x }}{% set x = 'q' %}{{ x }}{% endmacro %}{{ m(1) }}{{ x }}
{% for k, v in people|groupby('age') %}{{ k }}:{% for p in v %}{{ p.name }}{% endfor %};{% endfor %}
{% for g in people|groupby('age') %}{{ g.grouper }}{{ g.list|length }}{% endfor %}
{% for row in [1, 2, 3]|batch(2) %}{{ row }}{% endfor %}
{{ [people[0]]|tojson(indent=2)|indent(4) }}
{% set ns = namespace(a=[]) %}{% set ns.a = ns.a + [ns.a] %}{{ ns.a }}
{% if 'a' is in words and 'z' is not in words %}y{% endif %}
{% if not none is none %}y{% else %}n{% endif %}
{% if words is not none and words|length > 2 %}y{% endif %}
{% macro m() %}{{ varargs }}{% endmacro %}{{ m.catch_varargs }}{{ m.catch_kwargs }}{{ m.caller }}{{ m.other }}
{% macro m(a, b=1) %}{{ caller() }}{{ kwargs }}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.caller }}{{ m.catch_kwargs }}
{% macro m() %}a{% endmacro %}{% macro o() %}a{% endmacro %}{{ m == m }}{{ m == o }}{{ m in [o, m] }}
{% macro m() %}a{% endmacro %}{{ m + 1 }}
{% for t in words %}{{ loop == loop }}{% if loop %}a{% endif %}{{ loop in [1] }}{% endfor %}
{% for t in words %}{{ loop + 1 }}{% endfor %}
{% set s = namespace(a=1) %}{{ s == s }}{{ s['a'] }}{{ s['b'] is defined }}{{ s['__x'] is defined }}
{% set j = joiner() %}{{ j() }}{{ j.used }}{{ j() }}{{ j == j }}
{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.current }}{{ c == c }}{{ c.items }}
{% set g = words|map('upper') %}{{ g == g }}{{ 'A' in g }}{{ g|list }}
{% set g = words|map('upper') %}{{ 'x' in g }}{{ g|list }}
{% set v = d.values() %}{{ 3 in v }}{{ 9 in v }}
{% block a scoped %}x{% endblock %}y
{% block a required %}{% endblock %}y
{% block a scoped required %} {% endblock %}y
{% block a required scoped %} {% endblock %}y
{% block a nope %}x{% endblock %}y
{% for x, in [[1]] %}{{ x }}{% endfor %}
{% for (x, y), z in [[[1, 2], 3]] %}{{ x }}{{ y }}{{ z }}{% endfor %}
{% for in words %}{% endfor %}
{% set a, = [1] %}{{ a }}
{% set %}x{% endset %}
{% call '{}'.format(1) %}y{% endcall %}
{% call '{caller}'.format(caller=1) %}y{% endcall %}
{% call n %}y{% endcall %}
{% macro f() %}{{ caller() }}{{ varargs }}{{ kwargs }}{% endmacro %}{% call f(1, a=2) %}x{% endcall %}
{% macro f(a, b='B') %}{{ a }}{{ b }}{{ caller() }}{% endmacro %}{% call f(*[1, 2]) %}x{% endcall %}
{% macro f(a, b='B') %}{{ a }}{{ b }}{{ caller() }}{% endmacro %}{% call f(**{'a': 1}) %}x{% endcall %}
{% macro f(a, b='B') %}{{ a }}{{ b }}{{ caller() }}{% endmacro %}{% call f(*[1], **{'b': 2}) %}x{% endcall %}
{% macro f(a, b='B', c='C') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(*[1], b=2) }}{{ f(b=2, *[1]) }}{{ f(*[1], **{'c': 3}) }}{{ f(*[1, 2, 3]) }}
{% macro f(a, b='B') %}{{ a }}{{ b }}{% endmacro %}{{ f(*[1 if n else 2], b=3 if n else 4) }}{{ f(b='x' if not n else 'y', *words[:1]) }}
{% macro f(a, b='B') %}{{ a }}{{ b }}{% endmacro %}{{ f(b=1, a=2) }}{{ f(b=1) }}{{ f() }}{{ f(1, b=none) }}
{% macro f(a, b='B') %}{{ a }}{{ b }}{% endmacro %}{{ f(a=1, a=2) }}
{% macro f(a, b='B') %}{{ a }}{{ b }}{{ varargs }}{% endmacro %}{{ f() }}{{ f(1) }}{{ f(b=1) }}{{ f(1, 2, 3) }}
{% macro f(a, b='B') %}{{ a }}{{ b }}{{ kwargs }}{% endmacro %}{{ f() }}{{ f(1) }}{{ f(b=1) }}{{ f(1, c=3) }}
{% macro f(a, b=a ~ 'x') %}{{ a }}{{ b }}{{ kwargs }}{% endmacro %}{{ f(1) }}{{ f(1, c=3) }}
{% macro f(a) %}{{ a is defined }}{% endmacro %}{{ f() }}{{ f(b=1) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, b=2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{% set g = f %}{{ g(1) ~ g(2) }}{{ [f][0](3) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ dict(g=f).g(4) }}
{% macro f(loop) %}{{ loop }}{% endmacro %}{{ f(1) }}
{% for n in [1, 2] %}{% set y = n * 2 %}{% for m in [y] %}{% set z = m + n %}{{ z }}{% endfor %}{{ z is defined }}{% endfor %}
{% macro f() %}{{ q }}{% endmacro %}{% set q = 1 %}{% for i in [1, 2] %}{% set q = i * 10 %}{{ f() }}{% endfor %}
{% set q = 1 %}{% for i in [1, 2] %}{% set q = i * 10 %}{% macro f() %}{{ q }}{{ i }}{% endmacro %}{% for j in [7] %}{% set q = j %}{{ f() }}{{ q }}{% endfor %}{{ q }}{% endfor %}{{ q }}
{% set a = 'A' %}{% macro outer(b) %}{% macro inner(c) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{% set a = 'a2' %}{{ inner('C') }}{% for c in [1] %}{% set b = 'bb' %}{{ inner(c) }}{{ b }}{% endfor %}{{ b }}{{ a }}{% endmacro %}{{ outer('B') }}{{ a }}
{% macro twice() %}{{ caller('x') }}{{ caller('y') }}{% endmacro %}{% set v = 1 %}{% for i in [1, 2] %}{% set v = i + 5 %}{% call(p) twice() %}{{ p }}{{ v }}{{ i }}{% endcall %}{% endfor %}{{ v }}
{% macro w() %}{% set v = 'in' %}[{{ caller() }}]{{ v }}{% endmacro %}{% set v = 'out' %}{% with v = 'with' %}{% call w() %}{{ v }}{% set v = 'call' %}{{ v }}{% endcall %}{{ v }}{% endwith %}{{ v }}
{% macro a(n) %}{{ n }}{% if n > 0 %}{{ b(n - 1) }}{% endif %}{{ n }}{% endmacro %}{% macro b(n) %}({{ n }}{% if n > 0 %}{{ a(n - 1) }}{% endif %}){% endmacro %}{{ a(4) }}
{% for i in [1, 2] %}{% if loop.first %}{% macro f() %}{{ i }}{% endmacro %}{% endif %}{{ f is defined }}{% endfor %}
{% set ns = namespace(f=none) %}{% macro f() %}z{% endmacro %}{% set ns.f = f %}{{ ns.f() }}
{% set l = [1, 2, [3, [4]]] %}{% for n in l recursive %}{% if n is iterable %}<{{ loop(n) }}>{% else %}{{ n }}{{ loop.index }}{{ loop.depth0 }}{% endif %}{% endfor %}
{% for n in [[1, 2], [3]] recursive %}{% set q = loop.depth %}{% if n is iterable %}{% set inner = loop(n) %}{{ inner }}{{ q }}{% else %}{{ n }}{{ q }}{% endif %}{% endfor %}
{% for n in [[[1]]] recursive %}{% if n is iterable %}{% for k in [1, 2] %}{{ k }}{% endfor %}{{ loop(n) }}{% else %}{% for k in [3] %}{{ k }}{{ n }}{% endfor %}{% endif %}{% endfor %}
{% for n in [{'v': 1, 'c': [{'v': 2, 'c': []}]}] recursive %}{{ n.v }}{% if n.c %}{{ loop(n.c) }}{% endif %}{{ loop.depth }}{% endfor %}
{% for n in [1, [2]] recursive %}{% if n is iterable %}{{ loop(n)|upper ~ '!' }}{% else %}{{ n }}{% endif %}{% else %}e{% endfor %}
{% for n in [[], [1]] recursive %}{% if n is iterable %}{{ loop(n) }}{% else %}{{ n }}{% endif %}{% else %}e{% endfor %}
{% for w in words %}{{ loop.changed(w in ['b', 'a']) }}{% endfor %}
{% for w in [1, 1, 2] %}{{ loop.changed(w, 1) }}{% endfor %}
{% for w in [1, 1, 2] %}{{ loop.changed() }}{% endfor %}
{% for w in words %}{{ loop.cycle() }}{% endfor %}
{% for w in words %}{{ loop.cycle('a') }}{{ loop.cycle('a', 'b', 'c', 'd') }}{% endfor %}
{% set y = {'items': 1, 'b': 2, 'pop': 3, 'keys': 4} %}{{ y.b }}{{ y['items'] }}{{ y.pop }}{{ y['pop'] }}{{ y.keys()|list }}{{ y.c is defined }}
{% for y in [{'items': 1, 'b': 2}] %}{{ y.b }}{{ y['items'] }}{{ y.items()|length }}{% endfor %}
{% set y = {'a': 1, 'b': 2} %}{% for i in [1, 2] %}{{ y.b }}{{ y.a }}{{ y['b'] }}{{ y['a'] }}{% endfor %}
{% for y in [{'a': 1, 'b': 2}, {'b': 3, 'a': 4}, {'b': 5}] %}{{ y.b }}{{ y.a }}{{ y['a'] }}{% endfor %}
{% set ns = namespace(a=[1]) %}{% set ns.a = ns.a + [2] %}{% set ns.a = ns.a + ns.a %}{{ ns.a }}
{% set ns = namespace(a=[1]) %}{% set b = ns.a %}{% set ns.a = ns.a + [2] %}{{ ns.a }}{{ b }}
{% set a = [1] %}{% set b = a %}{% set a = a + [2] %}{{ a }}{{ b }}
{% set a = [1] %}{% set a = a + [2] %}{% set a = a + [a] %}{{ a }}
{% set a = [1] %}{% for i in [2, 3] %}{% set a = a + [i] %}{{ a }}{% endfor %}{{ a }}
{% set a = [1] %}{% if true %}{% set a = a + [2] %}{% endif %}{{ a }}
{% set a = 'x' %}{% set a = a + 'y' %}{{ a }}
{% set a = 1 %}{% set a = a + [2] %}{{ a }}
{% set a = (1,) %}{% set a = a + [2] %}{{ a }}
{% set a = (1,) %}{% set a = a + (2,) %}{{ a }}
{% set q = q + [1] %}{{ q }}
{% set words = words + ['z'] %}{{ words }}
{% macro m(a) %}{% set a = a + [2] %}{{ a }}{% endmacro %}{% set l = [1] %}{{ m(l) }}{{ m(l) }}{{ l }}
{% for l in [[1], [2]] %}{% set l = l + [9] %}{{ l }}{% endfor %}
{% set ns = namespace(a=1) %}{% set ns.a = ns %}{{ ns is defined }}
{{ namespace(a=[1, {'b': (2,)}]) }}
{{ namespace(a={'b': 1}.items()) }}
{{ namespace(a=1, a=2) }}
{{ namespace(**{'a': 1}) }}
{{ namespace({'a': 1}, b=2) }}
{{ namespace({'a': 1}, a=2) }}
{% set a %}x{{ n }}{% endset %}{{ a is escaped }}{{ a ~ '<' }}
{% if 'a' is in words and n is odd or false %}y{% endif %}
{% for w in words if w is not in ['a'] %}{{ w }}{% endfor %}
{% for w in words if w.x.y %}{{ w }}{% endfor %}
{% for w in words if 1 if w == 'a' else 0 %}{{ w }}{% endfor %}
{% for a, b in d.items() if b is number %}{{ a }}{{ loop.index }}{{ loop.length }}{% endfor %}
{% for w in words if w == 'a' recursive %}{{ w }}{{ loop.length }}{% endfor %}
{% for n in [1, 2, [1, 3]] if n is not none recursive %}{% if n is iterable %}{{ loop(n) }}{% else %}{{ n }}{% endif %}{% endfor %}
{% if words|length > 0 %}y{% endif %}{% if ''|length > 0 %}n{% endif %}{% if words|length > 0 and d|length > 0 %}z{% endif %}
{% if n > 0 %}y{% endif %}{% if 0 > 0 %}n{% endif %}{% if n|length > 0 %}n{% endif %}
{% if x == '[INST]' %}y{% endif %}{% if x != '[INST]' %}n{% endif %}{% if (x ~ 'a') == '[INST]a' %}z{% endif %}{% if n == 'a' %}n{% endif %}{% if n != 'a' %}w{% endif %}
{% if 1 < n < 5 %}y{% endif %}{% if 1 < n < 2 %}n{% endif %}{% if 5 < n < 'a' %}n{% endif %}
{{ 'a' 'b' ~ 'c' }}{{ 1 if n else 2 if x else 3 }}
{% autoescape False %}{{ html }}{% endautoescape %}z
{% print %}
{% print n %}{% print n, %}
{% with a=1 %}{% with b=a %}{{ b }}{% set a = 2 %}{{ a }}{% endwith %}{{ a }}{% endwith %}
{% macro f() %}F{% endmacro %}{% macro g() %}G{% endmacro %}{{ f(*g) }}
{% macro f() %}F{% endmacro %}{% macro g() %}G{% endmacro %}{{ f(**g) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(*[5]) }}{{ f(**{'a': 6}) }}{{ f(*'x') }}
{% macro f(a, a2=7, b=a) %}{{ a }}{{ a2 }}{{ b }}{% endmacro %}{{ f() }}|{{ f(1) }}|{{ f(b=2) }}|{{ f(b=2, a=1) }}|{{ f(1, 2, b=3) }}|{{ f(1, a2=2) }}
{% macro f(a) %}[{{ a }}]{{ kwargs }}{% endmacro %}{{ f(b=1) }}{{ f(1, b=2) }}{{ f(a=1, b=2) }}
{% macro f(a) %}[{{ a }}]{{ varargs }}{% endmacro %}{{ f() }}{{ f(1) }}{{ f(1, 2) }}
{% macro f(a='x') %}[{{ a }}]{{ varargs }}{{ kwargs }}{% endmacro %}{{ f() }}{{ f(1) }}{{ f(1, 2, c=3) }}
{% macro f(a) %}{{ caller(a) }}{% endmacro %}{% call(b) f(1) %}{{ b }}{% endcall %}{% call(b) f(a=2) %}{{ b }}{% endcall %}{% call(b) f() %}{{ b is defined }}{% endcall %}
{% macro f() %}{% for i in [1, 2] %}{% for j in [3] %}{{ loop.index }}{{ i }}{{ j }}{% endfor %}{% endfor %}{% endmacro %}{% for n in [1, [2]] recursive %}{% if n is iterable %}{{ loop(n) }}{{ f() }}{% else %}{{ n }}{{ f() }}{% endif %}{% endfor %}
{% for n in [[1, 2], [3]] recursive %}{% if n is iterable %}{% for k in n %}{{ k }}{% endfor %}{{ loop(n) }}{% else %}{{ n }}{% for k in [7, 8] %}{{ k }}{% endfor %}{% endif %}{% endfor %}x
{% for n in [[1]] recursive %}{% if n is iterable %}{% set t = loop(n) %}[{{ t }}]{% else %}{% for k in [7] %}{{ k }}{% endfor %}{% endif %}{% endfor %}
{% for a in [1, 2] %}{% for b in [3, 4] %}{% set c = a * b %}{{ c }},{% endfor %}{{ c is defined }};{% endfor %}{{ b is defined }}{{ a is defined }}
{% for a in [1, 2] %}{% set b = a %}{% endfor %}{% for a in [3] %}{{ b is defined }}{% set b = 5 %}{{ b }}{% endfor %}
{% set b = 1 %}{% with %}{% set b = 2 %}{% with %}{% set b = 3 %}{% macro f() %}{{ b }}{% endmacro %}{{ f() }}{% endwith %}{{ b }}{% endwith %}{{ b }}
{% set v = 0 %}{% macro outer() %}{% set v = 1 %}{% macro inner() %}{{ v }}{% endmacro %}{% with v = 2 %}{{ inner() }}{{ v }}{% endwith %}{{ v }}{% endmacro %}{% with v = 9 %}{{ outer() }}{{ v }}{% endwith %}{{ v }}
{% macro wrap() %}{% for z in [1, 2] %}<{{ caller() }}>{% endfor %}{% endmacro %}{% for y in ['a', 'b'] %}{% set q = y ~ '!' %}{% call wrap() %}{{ q }}{{ y }}{% set q = 'in' %}{{ q }}{% endcall %}{{ q }}{% endfor %}
{% macro deep(n) %}{% set m = n * 2 %}{% if n %}{{ deep(n - 1) }}{% endif %}{{ n }}{{ m }}{% endmacro %}{{ deep(3) }}
{% set q = 'g' %}{% macro a1() %}{{ q }}{% set q = 'l' %}{{ q }}{{ b1() }}{% endmacro %}{% macro b1() %}{{ q }}{% endmacro %}{{ a1() }}{{ q }}
{% set a = [1] %}{% for i in [1, 2] %}{% set b = a %}{% set b = b + [i] %}{% set b = b + [i] %}{{ b }}{% endfor %}{{ a }}
{% set ns = namespace(x=[]) %}{% for i in [1, 2] %}{% set y = ns.x %}{% set ns.x = ns.x + [i] %}{{ y }}{{ ns.x }}{% endfor %}
{% set ns = namespace(x=[]) %}{% set ns.x = ns.x + [ns.x] %}{% set ns.x = ns.x + [ns.x] %}{{ ns.x }}
{% set ns = namespace(x=1) %}{% set ns.x = 2 + ns.x %}{{ ns.x }}{% set ns.y = ns.x + 1 %}{{ ns.y }}{% set ns.x = ns.y + ns.x %}{{ ns.x }}
{% set ns = namespace(x='a') %}{% set ns.x = (ns.x + 'b') if n else ns.x %}{{ ns.x }}
{% set a = 1 %}{% set a = (a + 1) if n else a %}{{ a }}{% set a = a + 1 if n else 0 %}{{ a }}
{% set s %}{{ x }}{{ n }}{% endset %}{{ s == '[INST]3' }}{{ s in ['[INST]3'] }}{{ {'[INST]3': 1}[s] }}{{ {s: 2}['[INST]3'] }}{{ s|length }}{{ s|upper|lower }}
{% set s %}{{ x }}{{ n }}{% endset %}{% if s == '[INST]3' %}y{% endif %}{% if s == 'z' %}n{% endif %}{% if s != 'z' %}y{% endif %}{% if s != '[INST]3' %}n{% endif %}
{% set big2 = '%s' % x %}{{ (x * 30) ~ (x * 30) ~ 'z' }}{{ (x * 30)|length }}{{ ((x * 30) ~ 'z' ~ (x * 30)).split('z')|length }}
{{ (x * 11) ~ 'y' }}{{ ((x * 11) ~ 'y')|replace('y', 'z') }}{{ ('q' ~ (x * 11))[1:7] }}{{ (x * 10)|indent }}{{ ('a' * 63) ~ ('b' * 64) ~ ('c' * 65) }}
{% macro g(a, b) %}G{% endmacro %}{% macro f(a, b) %}F{% endmacro %}{{ f(g, b=1) }}{{ f(1, g) }}{{ f(a=g, b=g) }}
{% macro g(a) %}G{% endmacro %}{% macro f(a) %}F{% endmacro %}{{ f(g) }}{{ f(a=g) }}
{% set a = 1 %}{% macro f(a) %}[{{ a }}]{% endmacro %}{{ f() }}{{ f(**{}) }}{{ f(*[]) }}{{ a }}
{% set a = 1 %}{% macro f(a, b) %}[{{ a }}{{ b }}]{{ kwargs }}{% endmacro %}{{ f(b=2) }}{{ f(c=2) }}
{% macro f() %}{% for i in [1] %}{{ i }}{% endfor %}x{% endmacro %}{{ f() }}y
{% macro f() %}{% for i in [1, 2] %}{% for j in [3] %}{{ j }}{% endfor %}-{% endfor %}x{% endmacro %}{% for n in [1, [2]] recursive %}{% if n is iterable %}{% for k in [8] %}{{ k }}{% endfor %}{{ loop(n) }}{{ f() }}{% else %}{{ n }}{% for k in [9] %}{{ k }}{% endfor %}z{% endif %}{% endfor %}y
{% macro f() %}{% for i in [1] recursive %}{{ i }}{% endfor %}x{% endmacro %}{{ f() }}y
{% for n in [[1]] recursive %}{% if n is iterable %}{{ loop(n) }}{% else %}{% for k in [7] recursive %}{{ k }}{% endfor %}z{% endif %}{% endfor %}y
{% set a = 1 %}{% macro f(a) %}[{{ a }}]{% endmacro %}{{ f() }}
"""

# Templates that raise something: what Python says of them, which begins with what this library says.
ERRORS = r"""
{{ range(('9' * 45)|int) }}
{% set a, b = ['%', '%']|map('format') %}
{{ ['%']|map('format')|reverse|list }}
{{ ['%']|map('format')|first }}
{{ ['%']|map('format')|join }}
{{ 5|reverse }}
{{ dict(**{}, *[]) }}
{{ dict(*[], *[]) }}
{{ dict(**{}, **{}) }}
{{ dict(**{}, a=1) }}
{{ dict(*[], 1) }}
{{ dict(**{}, 1) }}
{{ dict(a=1, 1) }}
{{ 'a' not x 'abc' }}
{{ ('a'|safe) + 1 }}
{{ 1 + ('a'|safe) }}
{{ 5 % 'a' }}
{{ 'a' % (1, 2) }}
{{ [1] * 'a' }}
{{ 2 ** 'a' }}
{{ 'a'|int + [] }}
{{ {d.keys(): 1} }}
{{ {d.items(): 1} }}
{{ {(1, []): 1} }}
{{ words|unique + 1 }}
{{ 1 + 'a' }}
{{ none + 1 }}
{{ d + 1 }}
{{ 1.5 - 'a' }}
{{ 1 - none }}
{{ 'a' / 2 }}
{{ 'a' // 2 }}
{{ 'a' ** 2 }}
{{ 'a' - 2 }}
{{ [] % 2 }}
{{ d * d }}
{{ true + none }}
{{ range(2) + 1 }}
{{ d.keys() + 1 }}
{{ d.values() + 1 }}
{{ d.items() + 1 }}
{{ -none }}
{{ -'a' }}
{{ +'a' }}
{{ -undefined_name }}
{{ undefined_name + 1 }}
{{ 1 + undefined_name }}
{{ undefined_name.a }}
{{ undefined_name() }}
{{ n() }}
{{ 'a'() }}
{{ none() }}
{{ [1]() }}
{{ 1 < 'a' }}
{{ 'a' >= 1 }}
{{ none < none }}
{{ [] > {} }}
{{ (1,) <= 1.5 }}
{{ 1 in 2 }}
{{ 1 in 'a' }}
{{ none in 'a' }}
{{ {[1]: 2} }}
{{ {d: 2} }}
{{ {([],): 2} }}
{{ range('a') }}
{{ range(1.5) }}
{{ range(1, 2, 0) }}
{{ 1 // 0 }}
{{ 1 / 0 }}
{{ 1.0 / 0 }}
{{ 1.0 // 0 }}
{{ 0 ** -1 }}
{{ 0.0 ** -1 }}
{{ 'a' * 'b' }}
{{ 'a' * 1.5 }}
{{ [1] * none }}
{{ 5|length }}
{{ none|length }}
{{ 5|list }}
{{ 5|join }}
{{ 5|first }}
{{ 5|reverse|list }}
{{ n|map('upper')|list }}
{{ {1: 2}|tojson(sort_keys=true)|length + 'a' }}
{{ cycler() }}
{{ dict(1) }}
{{ dict([[1]]) }}
{{ dict(1, 2) }}
{{ dict(**{1: 2}) }}
{{ '%d' % 'a' }}
{{ '%s %s' % 1 }}
{{ 'a' % 1 }}
{{ '%(a)s' % {} }}
{{ '%(a)s' % 1 }}
{{ '%q' % 1 }}
{{ '%' % 1 }}
{{ '%c' % 'ab' }}
{{ '{a}'.format() }}
{{ '{'.format() }}
{{ '}'.format() }}
{{ '{!x}'.format(1) }}
{{ ','.join([1]) }}
{{ 'abc'.index('z') }}
{{ [1].index(2) }}
{{ 'a'.split('') }}
{{ 'a'.ljust(5, 'xy') }}
{{ 'a'.startswith(1) }}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [[1]] %}{% endfor %}
{% for a, b in ['abc'] %}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{% endfor %}
{% for a in 5 %}{% endfor %}
{% set a, b = 5 %}
{% set a, b = [1] %}
{% set a, b = [1, 2, 3] %}
{% set a, b = 'a' %}
{% set d.a = 1 %}
{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{% endmacro %}{{ f(b=1) }}
{% macro f(a) %}{% endmacro %}{{ f + 1 }}
{% for i in [1] %}{{ loop + 1 }}{% endfor %}
{% for i in [1] %}{{ loop([1]) }}{% endfor %}
{{ (x|safe) + 1 }}
{{ 1 + (x|safe) }}
{{ namespace() + 1 }}
{{ cycler(1) + 1 }}
{{ joiner() + 1 }}
{{ (words|map('upper')) + 1 }}
{{ (d|items) + 1 }}
{{ (words|reverse) + 1 }}
{{ range + 1 }}
{{ undefined_name|tojson }}
{{ d.keys()|tojson }}
{{ (words|map('upper'))|tojson }}
{{ [1, namespace()]|tojson }}
{{ 5|abs + 'a' }}
{{ 'a'|abs }}
{{ 1|round(method='x') }}
{{ 'a'|float + 'a' }}
{{ ['a']|sum }}
{{ d|dictsort(by='x') }}
{{ words|slice(0)|list }}
{{ 'abc'|truncate(2) }}
{{ 'a'|wordwrap(0) }}
{{ {'a b': 1}|xmlattr }}
{{ 5|xmlattr }}
{{ 'a' is odd }}
{{ 'a'|nope }}
{{ 'a' is nope }}
{{ 1 is odd is even }}
{{ (1 }}
{{ 1) }}
{{ a b }}
{{ [1, }}
{{ f(a=1, 2) }}
{{ f(**a, *b) }}
{{ f(*a, *b) }}
{{ f(**a, **b) }}
{{ f(**a, b=1) }}
{{ f(*a, b) }}
{{ x[1 }}
{{ x. }}
{{ x| }}
{{ x is }}
{% if %}{% endif %}
{% if x %}
{% if x %}{% else %}
{% for x in y %}
{% for x %}{% endfor %}
{% for loop in y %}{% endfor %}
{% set x %}
{% set none = 2 %}
{% macro %}{% endmacro %}
{% macro f %}{% endmacro %}
{% macro f(a=1, b) %}{% endmacro %}
{% macro f() %}
{% call x %}{% endcall %}
{% call f() %}
{% filter upper %}
{% generation %}
{% with a %}{% endwith %}
{% with a = 1 %}
{% nope %}
{% endif %}
{% else %}
{# a
{% a
{% block %}{% endblock %}
{% block a %}
{{ '\x4' }}
{{ '\N{no such}' }}
{{ '\u12' }}
{{ '\N' }}
"""


def split(templates):
    """Templates, of which those that have several lines are indented by nothing: they end where their blocks do."""
    return [template for template in templates.strip("\n").split("\n") if template]


MULTI = [
    "{% raw %}\n{{ a }}\n{% endraw %}\nb", "{% raw %}{{ a }}{% endraw %}{% raw -%} x {%- endraw %} y", "  {% raw %} a {% endraw +%}\n b",
    "{%- raw -%}\n  {% if %}\n{%- endraw -%}\n c", "{% raw %}{% raw %}{% endraw %}", "{% raw %}a", "x\n  {% raw %}\n  {% endraw %}\ny", "{% raw -%}\n\n a{% endraw %}\n\n", "{%+ raw %}a{%+ endraw %}",
    "  {%+ raw %}  \n  {% endraw %}", "a\n  {% raw %}b{% endraw -%}\n  c", "{% raw +%}a{% endraw %}", "{%raw%}a{%endraw%}",
    "a\n  {# c #}\nb\n  {#+ c +#}\nc", "{#-#}x", "{#--#} x", "{# unclosed", "a {#- c -#} b", "a {{- n -}} b", "a {{+ n }} b", "a {{ n +}} b",
    "  {% if true %}\n  a\n  {% endif %}\n  b", "  {%+ if true %}\n  a\n  {% endif +%}\n  b", "  {%- if true -%}\n  a\n  {%- endif -%}\n  b", "x {% if true %} y {% endif %} z",
    "\t {% if true %}\na{% endif %}\n\t\na", "a\n{{ n }}\n{{ n }}\n\na{% if true %}\n\nb{% endif %}\n\n", "a\r\nb\r{{ 'c\r\nd' }}\r\n", "a\r\n  {% if true %}\r\nb\r\n{% endif %}\r\nc\r\n", "a\r", "\r", "\n\n", "a\n\n", "{{ n }}\n", "{% if true %}\n{% endif %}\n",
    "{{ \"a\nb\" }}", "{{ 'a\\\nb' }}", "\u2028{% if true %}\u2028a{% endif %}", "\u00a0 {% if true %}\na{% endif %}", "\x0b\x0c{% if true %}a{% endif %}", "{{ n }}\x1f{%- if true %}a{% endif %}", "a\u00a0{{- n -}}\u3000b",
    "{% for m in messages %}\n{{ m.role }}\n{% endfor %}\nend", "{%- for m in messages -%}\n    {{ m.role }}\n    {%- if not loop.last %}, {% endif -%}\n{%- endfor -%}\n", "{% for m in messages %}\n  {% if m.role == 'user' %}\n    {{- m.content -}}\n  {% endif %}\n{% endfor %}",
    "{% set x %}\n a\n{% endset %}\n[{{ x }}]", "{% macro f() %}\n a\n{% endmacro %}\n[{{ f() }}]", "{{ {'a': 1}}}", "{{ {'a': {}}}}", "{{ '}}' }}{{ \"%}\" }}{{ {'a': {'b': 1}}.a.b }}{{ {} }}", "{{ x\n.upper()\n}}", "{% if\ntrue\n%}a{% endif %}",
    "{{ [\n1,\n2,\n] }}", "{{ (\n1,\n) }}", "{{ f(\n) }}", "{{ dict(a=1,) }}", "{{ {'a': 1,} }}", "{{ [1,,2] }}", "{{ dict(,) }}", "", " ", "\ufeff{{ n }}", "{% generation %}\na\n{% endgeneration %}\nb", "{%generation%}a{%endgeneration%}", "{%- generation -%} a {%- endgeneration -%} b",
    "a\n  {{ n }}\n\t{{ n }}b\n  {%- if true %}x{% endif %}", "  {{ n }}", "  {% if true %}\n  {{ n }}{% endif %}", "a {{ n }} b\n {{ n -}}\n c",
]

# Characters, numbers and lines at their edges.
EDGES = r"""
'a b'.isprintable()
'a\tb'.isprintable()
'\x7f'.isprintable()
''.isprintable()
'Ab'.isupper()
'AaB'.isupper()
'A1'.isupper()
'Aǅ'.isupper()
'aǅ'.islower()
'aB'.islower()
'ǅ'.istitle()
'Aǅ'.istitle()
'ǅa'.istitle()
'aǅ'.istitle()
'ǆ ǅ Ǆ ǉ ǈ Ǉ ǌ ǋ Ǌ ǳ ǲ Ǳ'.title()
'ǆa Ǆa ǳa ǲA ǅA'.title()
'აბგ ჰჱ'.title()
'აბგ'.capitalize()
'ǆa'.capitalize()
'ŉa ﬁa ßa'.title()
1e999
-1e999
(1e999, -1e999)
'-_1'|int(7)
'1__2'|int(7)
'1_2'|int(7)
'_12'|int(7)
'12_'|int(7)
'1_.5'|float(7)
'1._5'|float(7)
'1.5_5'|float(7)
'1_0.5'|float(7)
'1e_5'|float(7)
'1_e5'|float(7)
'.5'|float(7)
'-.5'|float(7)
'5.'|float(7)
'.'|float(7)
'e5'|float(7)
'+-5'|float(7)
'--5'|float(7)
'+inf'|float(7)
'-Infinity'|float(7)
'nan'|float(7)
'infinit'|float(7)
'1e5'|float(7)
'1e+05'|float(7)
'1e'|float(7)
'0x10'|float(7)
'٣.٥'|float(7)
' 3 '|float(7)
'0o17'|int(7, 0)
'0O17'|int(7, 8)
'0o17'|int(7, 10)
'0b101'|int(7, 0)
'0B101'|int(7, 2)
'0b101'|int(7, 16)
'0x1F'|int(7, 0)
'0X1f'|int(7, 16)
'-0x1f'|int(7, 0)
'0x'|int(7, 0)
'0x_1f'|int(7, 0)
'0_x1f'|int(7, 0)
'12'|int(7, 0)
'012'|int(7, 0)
'0'|int(7, 0)
'00'|int(7, 0)
'-00'|int(7, 0)
'0_0'|int(7, 0)
'012'|int(7, 10)
'12'|int(7, 1)
'12'|int(7, 37)
'12'|int(7, -1)
'z'|int(7, 36)
'z'|int(7, 35)
'12'|int(7, 3)
'12'|int(7, 2)
'9' * 40|int
('9' * 40)|int
('-' ~ '9' * 40)|int
('0' * 50 ~ '12')|int
('0' * 50)|int
('-' ~ '0' * 50)|int
('9' * 4300)|int|string|length
('9' * 4301)|int(7)
('f' * 20)|int(7, 16)
('f' * 33)|int(7, 16)
('-' ~ 'z' * 40)|int(7, 36)
('0x' ~ '1' * 40)|int(7, 0)
('1' * 129)|int(7, 2)
1e999|round(-400)
1e999|round
(1e999 - 1e999)|round(1)
1.5|round(100000)
1.5|round(400)
5e-324|round(323)
5e-324|round(324)
8e-324|round(323)
1234.5|round(-2)
1250.0|round(-2)
1350.0|round(-2)
-1350.0|round(-2)
1250.5|round(-2)
50.0|round(-2)
50.5|round(-2)
49.9|round(-2)
-40.0|round(-2)
5.0|round(-1)
5.1|round(-1)
15.0|round(-1)
1234.5|round(-4)
5000.0|round(-4)
5000.5|round(-4)
1e22|round(-22)
25e21|round(-22)
34999999999999.998|round(-13)
1.7e308|round(-308)
1.4e308|round(-308)
1.4e308|round(-309)
-1.4e308|round(-309)
5e307|round(-308)
1.7e308|round(-307)
5e23|round(-24)
5e24|round(-25)
6e24|round(-25)
-1.5|round(-400)
1.5|round(-100000)
0.0|round(-3)
-0.0|round(-3)
'{: d}|{: d}|{: .1f}|{: .1f}'.format(3, -3, 2.5, -2.5)
'{:^7}|{:^8}|{:^+8}|{:*^8.1f}|{:^3}'.format(12, 12, 12, 2.5, 1234)
'{:0>12,}|{:*=12,}|{:0=12,}|{:012,}|{:0<12,}'.format(1234, 1234, 1234, 1234, 1234)
'{:0=12}|{:=+12}|{:012}'.format(-1234, 1234, -1234)
'{:05,}|{:06,}|{:07,}|{:08,}|{:09,}'.format(1234, 1234, 123456, 123456, 123456)
'{:012,.2f}|{:011,.2f}|{:010,.2f}|{:09,.2f}|{:08,.2f}'.format(-1234.5, -1234.5, -1234.5, -1234.5, -1234.5)
'{:013,.2f}|{:+013,.2f}|{:013_.2f}'.format(1234.5, 1234.5, 1234.5)
'{:#012_x}|{:012_b}'.format(48879, 48879)
'{}|{:f}|{:%}|{:e}|{:g}|{:F}|{:6.1f}|{:+}|{:010}'.format((nothing ~ "inf")|float, (nothing ~ "inf")|float, (nothing ~ "inf")|float, (nothing ~ "inf")|float, (nothing ~ "inf")|float, (nothing ~ "inf")|float, (nothing ~ "inf")|float, (nothing ~ "inf")|float, (nothing ~ "inf")|float)
'{}|{:f}|{:%}|{:+f}|{:E}|{: }'.format((nothing ~ "nan")|float, (nothing ~ "nan")|float, (nothing ~ "nan")|float, (nothing ~ "nan")|float, (nothing ~ "nan")|float, (nothing ~ "nan")|float)
'{:%}|{:.0%}|{:#.0%}|{:.1%}'.format(0.5, 0.5, 0.5, 0.125)
'{:.0f}|{:#.0f}|{:#.2f}|{:.2f}|{:#f}'.format(3.0, 3.0, 3.0, 3.0, 3.0)
'{:.0e}|{:#.0e}|{:#.2e}|{:.2e}|{:#e}|{:E}|{:.1e}'.format(3.0, 3.0, 3.0, 3.0, 3.0, 1e100, 1e-100)
'{:g}|{:g}|{:g}|{:g}|{:g}|{:g}'.format(0.001, 0.0001, 0.00001, 1.5, 12.25, 0.0)
'{:g}|{:g}|{:g}|{:g}|{:G}|{:n}'.format(100000.0, 1000000.0, 120000.0, 123456.7, 1e-10, 1234567.0)
'{:.3g}|{:.3g}|{:.3g}|{:.3g}|{:.0g}|{:.1g}'.format(1234.0, 123.0, 12.345, 0.00012345, 15.0, 0.5)
'{:#g}|{:#g}|{:#.3g}|{:#.3g}|{:#.1g}'.format(1.0, 100000.0, 123.0, 1234.0, 3.0)
'{:#.1g}|{:#.1e}|{:#.3g}|{:#}'.format(1e10, 1e10, 1e-10, 1e10)
'{:.3}|{:.3}|{:.3}|{:.3}|{:.3}|{:.1}'.format(1.5, 12.0, 123.0, 1234.0, 0.00001, 2.0)
'{:.4}|{:.17}|{:.0}|{:10.3}|{:<10.3}|{:,.6}'.format(100.0, 0.1, 5.5, 2.0, 2.0, 12345.5)
'{:}|{:5}|{:<8}|{:08}|{:+}|{:,}'.format(1e16, 1.0, 1.5, 1.5, 1.5, 1234567.0)
'{:#}|{:#}|{:#,}'.format(1.0, 1e22, 5)
'%#x|%#X|%#o|%x|%X|%o' % (255, 255, 8, 255, 255, 8)
'%#5x|%-#7x|%#08x|%#08X|%08o|%#08o' % (255, 255, 255, 255, 8, 8)
'% d|% d|%+d|%+ d|% +d|% .1f' % (3, -3, 3, 3, 3, 2.5)
'%f|%+f|% f|%5.1f|%F|%e' % ((nothing ~ "inf")|float, (nothing ~ "inf")|float, (nothing ~ "inf")|float, (nothing ~ "inf")|float, (nothing ~ "inf")|float, -(nothing ~ "inf")|float)
'%f|%+f|% f|%6.1f|%G' % ((nothing ~ "nan")|float, (nothing ~ "nan")|float, (nothing ~ "nan")|float, (nothing ~ "nan")|float, (nothing ~ "nan")|float)
'%.0f|%#.0f|%g|%g|%#g|%.3g|%.0e|%#.0e' % (2.5, 2.5, 0.0001, 0.00001, 1.5, 1234.5, 25.0, 25.0)
'%05.1f|%-6.1f|%6.1f|%+06.1f' % (2.5, 2.5, -2.5, 2.5)
'%.3d|%6.3d|%-6.3d|%06.3d|%+.3d' % (5, 5, 5, 5, 5)
'{0[a:b]}|{0[a!b]:>4}|{0[a:b]!r:>4}'.format({'a:b': 1, 'a!b': 2})
'{0[b]:>5}|{0[A]!r:<3}|{0[b]!s}|'.format({'b': 1, 'A': 2})
'{0[a}'.format({'a': 1})
'{0[a]b}'.format({'a': 1})
'well-known semi-automatic-thing a-b ab-c a-bc ab-cd'|wordwrap(6)
'ab-cd-ef 12-34 a1-b2 1a-2b ab-12 a1b-c2d'|wordwrap(4)
'a-b-c-d ab-c-de a-bc-d x-y'|wordwrap(3)
'e-mail co-op t-shirt x-ray'|wordwrap(5)
'one--two three---four five-- six --seven'|wordwrap(5)
'one--two--three a--b 1--2 (--c) d--! .--e !--f'|wordwrap(3)
'\"--a \'--b &--c ,--d ?--e )--f ]--g'|wordwrap(3)
'--option -x --long-option a --b'|wordwrap(6)
'--long-option-name=value and -short-one'|wordwrap(8)
'abc-def-ghi'|wordwrap(5)
'abc-def-ghi'|wordwrap(4)
'abc-def-ghi'|wordwrap(3)
'abc-def-ghi'|wordwrap(1)
'abc-def-ghi'|wordwrap(5, true, none, false)
'abc-def-ghi'|wordwrap(5, false, none, false)
'abc-def-ghi'|wordwrap(5, false)
'one-two three'|wordwrap(20, true, none, false)
'a one--two'|wordwrap(6, true, none, false)
'ab cdefgh'|wordwrap(3)
'ab cdefgh'|wordwrap(2)
'abc defgh ij'|wordwrap(3)
'a bcdefgh'|wordwrap(3)
'a  bcdefgh'|wordwrap(3)
'a   bcdefgh'|wordwrap(3)
'ab  c  d'|wordwrap(3)
'  ab  cd  '|wordwrap(3)
'    ab'|wordwrap(2)
'    '|wordwrap(2)
'ab '|wordwrap(2)
'ab\u00a0cd ef'|wordwrap(3)
'x-12345-y 1-2-3'|wordwrap(4)
'----a bcd'|wordwrap(3)
'----------'|wordwrap(4)
'-a--------b'|wordwrap(4)
'a1----------'|wordwrap(4)
'ab------------cd'|wordwrap(5)
'a-(b) c-d.e (ab)-cd ab-(cd)'|wordwrap(3)
'über-größe naïve-té'|wordwrap(6)
'½ab-cd aⅧ-bc a²-bc ab²-cd'|wordwrap(4)
'aa-_b a_-bc __-aa'|wordwrap(4)
'हिन्दी-भाषा a'|wordwrap(4)
'हिन्दी भाषा'|wordcount
'ab-cd ef_gh 12½ x²'|wordcount
'a--b'|wordwrap(3)|replace('\n', '/')
'a-b--c-d--e'|wordwrap(2)
'ab--'|wordwrap(2)
'ab-'|wordwrap(2)
'aa-b aa-b-c'|wordwrap(3)
'aa-bb- aa-bb-c aa-b-'|wordwrap(3)
'.-a-b!-c-de'|wordwrap(2)
'x ab1-cd'|wordwrap(6)
('-' * 30000)|wordwrap(100)|length
'x ab-1c'|wordwrap(5)
'x ab-c1'|wordwrap(5)
'x ab-c-1'|wordwrap(6)
'x a1-cd x ab-cd x ab-c-d'|wordwrap(6)
('9' * 25)|int(7, 0)
('0' ~ '9' * 25)|int(7, 0)
('-0' ~ '9' * 25)|int(7, 0)
('0_' ~ '9' * 25)|int(7, 0)
'ab-!-cd a-.-bc a-b-cde'|wordwrap(4)
'{:.70000f}'.format(2.5)|length
'ΑΣ ΑΣΑ ΑΣ, Σ ΣΣ ΑΣΣ αΣ\'Α αΣ\''.title()
'ΑΣ ασ αΣΑ Σ ΣΣ ΑΣΣ αΣ\'Α'.swapcase()
'ᾀ ᾈ ᾳ ᾼ ᾲ ᾴ ᾷ ῳ ῼ ὒ ΐ ᾭ ᾧ'.title()
'ᾀ ᾈ ᾼ ǅ ǈa ß'.swapcase()
'ᾈ'.istitle()
'aᾈ'.islower()
'AᾼB'.isupper()
'ᾈ ῼ'.istitle()
'Aᾮ'.istitle()
'ẞßſµςΣıİ ﬁ Ꭰꭰᏸ ᾳ ΐ ŉ ǅ ﬅ'.casefold()
'ΑΣ'.casefold()
'{:#.3}|{:#.4}|{:#.1}|{:#.0}'.format(123.0, 100.0, 5.0, 5.0)
'{:#.0%}|{:#.0E}|{:#G}|{:#}'.format(0.5, 3.0, 1e10, (nothing ~ "inf")|float)
'%#.0f|%#.0e|%#g|%#.3g|%#.1g' % (3.0, 3.0, 100000.0, 123.0, 1e10)
'0x__1f'|int(7, 0)
'0x1f_'|int(7, 0)
'0x1_f'|int(7, 0)
'_0x1f'|int(7, 0)
'z_z'|int(7, 36)
'9_9'|int(7, 8)
'0_1'|int(7, 0)
'0b'|int(7, 36)
('0' * 30 ~ 'f' * 3)|int(7, 16)
('0' * 30)|int(7, 16)
('2' ~ '0' * 30)|int(7, 3)
('z' * 2000)|int(7, 36)|string|length
('1' * 13000)|int(7, 2)|string|length
25.0|round(-1)
35.0|round(-1)
-25.0|round(-1)
5.0|round(-1)
15.5|round(-1)
9.5|round(-1)
'""[0]'|length
'{:.70000e}'.format(2.5)|length
'{:.70000g}|{:.70000}|'.format(2.5, 2.5)
'{:.70000%}'.format(2.5)|length
'{:#.70000g}'.format(2.5)|length
'{:.1200f}'.format(5e-324)|length
'{:.1080g}'.format(5e-324)[-60:]
'%.70000f' % 2.5|length
('%.70000f' % 2.5)|length
('%.1100e' % 5e-324)[-350:]
('%.1074f' % 5e-324)[-60:]
('%70000d' % 5)|length
'{:70000}|{:070000.1f}'.format(5, 2.5)|length
strftime_now('%70000d')|length
strftime_now('%_70000d')|length
strftime_now('%2047d')|length
strftime_now('%2048d')|length
strftime_now('%_2047Y%n')|length
strftime_now('%2046Y日')|length
strftime_now('%2047Y日')|length
strftime_now('%500Y%500Y')|length
strftime_now('%1000B%1000B')|length
strftime_now('%3000Y aaaaaa')|length
strftime_now('%9999999999999999999999Y')|length
"""


# What every kind of value is called where it does not fit.
KINDS = r"""
{{ true + none }}
{{ 1 + [] }}
{{ 2.5 + (1,) }}
{{ {} + range(3) }}
{{ d.keys() + d.values() }}
{{ d.items() + 'a' }}
{{ 'a'|escape + 1 }}
{{ ''|escape < 1 }}
{{ 1 + (''|escape) }}
{{ namespace() + 1 }}
{% macro f() %}{% endmacro %}{{ f + 1 }}
{% for t in 'a' %}{{ loop + 1 }}{% endfor %}
{{ range + dict }}
{{ namespace + joiner }}
{{ cycler + raise_exception }}
{{ dict.fromkeys + 1 }}
{{ d.get + 1 }}
{{ [].index + 'a'.upper }}
{{ 'a'.format + 'a'.format_map }}
{{ (''|escape).upper + 1 }}
{% for t in 'a' %}{{ loop.cycle + 1 }}{% endfor %}
{{ cycler(1).next + 1 }}
{{ cycler(1) + joiner() }}
{{ words|map('upper') + 1 }}
{{ 1 + (words|batch(2)) }}
{{ 'a' * big }}
{{ [1] * big }}
{{ big * (1,) }}
{{ 'a' * 1.5 }}
{{ 'a'.center(big) }}
{{ range(big) }}
{{ range(1.5) }}
{{ {d.keys(): 1} }}
{{ {d.items(): 1} }}
{{ {(1, [2]): 3} }}
{{ {(1, (2, {})): 3} }}
{{ [(1, [2])]|unique|list }}
{{ namespace(_x=1) }}
{% set ns = namespace() %}{% set ns._x = 1 %}
"""

# Keys, members, steps and powers at their bounds, and what is of which kind.
BOUNDS = r"""
{{ {d.values(): 1}|length }}
{{ {(1, (2, 3)): 3}[(1, (2, 3))] }}
{{ {'a': 0, 'b': 0, 'c': 0, 'd': 0, 'e': 0, 'f': 0, 'g': 0, 'h': 0, 'i': 0, 'j': 0, 'k': 0, 'l': 0, 'm': 0, 'n': 0, 'o': 0, 'o': 1, 'a': 2, 'l': 3, 'm': 4} }}
{{ {1: 0, 'b': 0, 'c': 0, 'd': 0, 'e': 0, 'f': 0, 'g': 0, 'h': 0, 'i': 0, 'j': 0, 'k': 0, 'l': 0, 'm': 0, 'n': 0, 'o': 0, 'o': 1, 'b': 2, 'l': 3, 'm': 4, true: 5} }}
{{ range(10, 0, -5)|list }}
{{ range(10, 0, -3)|list }}
{{ range(10, 3, -4)|length }}
{{ 'AB' in ['ab']|map('upper') }}
{{ 'ABC' in ['ab', 'abc', 'd']|map('upper') }}
{{ 'abc' in ['ab', 'abc', 'd']|map('upper') }}
{{ 1 ** 5000000000 }}
{{ 0 ** 5000000000 }}
{{ (-1) ** 5000000000 }}
{{ (-1) ** 5000000001 }}
{{ ('a'|escape).foo is defined }}
{{ 'a'.unescape is defined }}
{{ ('a'|escape).unescape is defined }}
{{ [1].append is defined }}
{{ [1]['append'] is defined }}
{{ namespace()._x is defined }}
{{ true is sameas true }}
{{ false is sameas true }}
{{ false is sameas false }}
{{ 'a' is sameas 'a' }}
{{ 'ab' is sameas 'ab' }}
{{ d is sameas d }}
{{ {} is sameas {} }}
{{ 'abab'.startswith('b', 1) }}
{{ 'abab'.find('a', 1) }}
{{ 'abab'.find('b', none, 1) }}
{{ 'abab'.endswith('b', none, 3) }}
{{ 'abc'.find('', 3) }}
{{ 'abc'.find('', 4) }}
{{ 'abc'.find('', 2, 2) }}
{{ 'abc'.find('', 2, 1) }}
{{ 'abc'.rfind('', -3, 0) }}
{{ 'abc'.startswith('', 3) }}
{{ 'abc'.startswith('', 4) }}
{{ 'abc'.endswith('', 3, 3) }}
{{ 'abc'.count('', 3) }}
{{ 'abc'.count('', 3, 2) }}
{% set x = [1] %}{% for i in [2, 3] %}{% set x = x + [i] %}{{ x }}{% endfor %}{{ x }}
{% set ns = namespace(x=[1], y=[2]) %}{% set z = ns.x %}{% for i in [3, 4] %}{% set ns.x = ns.x + [i] %}{% set ns.y = ns.x + [i] %}{% endfor %}{{ ns.x }}{{ ns.y }}{{ z }}
{% set ns = namespace(x=[1]) %}{% for i in range(255) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns }}
"""


class Clock(datetime.datetime):
    seconds = NOW

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(cls.seconds, datetime.timezone.utc).replace(tzinfo=None)


def main():
    reference.datetime = Clock
    cases = [("{{ " + line + " }}", NOW) for line in EXPRESSIONS.strip("\n").split("\n")]
    cases += [(template, NOW) for template in split(TEMPLATES)] + [(template, NOW) for template in MULTI]
    cases += [("{{ strftime_now(" + json.dumps(f"%{code}", ensure_ascii=False) + ") }}", NOW) for code in CODES]
    every = "|".join(f"%{code}" for code in CODES if code not in "EQLJiNoqv")
    cases += [("{{ strftime_now('" + every + "') }}", time) for time in TIMES]
    cases += [("{{ strftime_now(" + json.dumps(flag, ensure_ascii=False) + ") }}", NOW) for flag in FLAGS]
    cases += [("{{ " + line + " }}", NOW) for line in EDGES.strip("\n").split("\n")]
    cases += [("{{ strftime_now('%#p %^p %P %I') }}", time) for time in TIMES]
    cases += [(template, NOW) for template in split(BOUNDS)]
    for template, now in cases:
        Clock.seconds = now
        given = {name: value for name, value in GIVEN.items() if name in template}
        try:
            want = reference._compile_jinja_template(template).render(**given)
            want.encode()
        except Exception:
            want = None
        if want is not None and " at 0x" in want or "lipsum(" in template:
            want = None  # what is another each time is refused
        case = {"template": template, "want": want}
        if given:
            case["given"] = given
        if "strftime" in template:
            case["now"] = now
        print(json.dumps(case, ensure_ascii=False))
    for template in split(ERRORS) + split(KINDS):
        given = {name: value for name, value in GIVEN.items() if name in template}
        try:
            reference._compile_jinja_template(template).render(**given)
        except jinja2.TemplateSyntaxError as error:
            said = error.message
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        print(json.dumps({"template": template, "want": None, "given": given, "raises": said}, ensure_ascii=False))


main()
