#!/usr/bin/env python3
"""Writes the cases of tests/goldens/mistral_common/matrix.jsonl, one a line: every rule of every version, asked.

    matrix.py | oracle.py > ../goldens/mistral_common/matrix.jsonl
"""
import json
A,B='abcdefgh1','abcdefgh2'
LABELS=['v1','v1-tekken','v2','v2-tekken','v3','v3-tekken','v7','v7-tekken','v11','v13','v15','v13+think','v15+think','v3+image','v3-tekken+image','v7+image','v7-tekken+image','v11+image','v13+image','v15+image']
CH={'text':{'type':'text','text':'b'},'thinking':{'type':'thinking','thinking':'t'},'image_url':{'type':'image_url','image_url':'https://example.com/a.png'},
    'input_audio':{'type':'input_audio','input_audio':'AAAA'},'audio_url':{'type':'audio_url','audio_url':{'url':'https://example.com/a.wav'}}}
T={'type':'text','text':'a'}
def call(id=A): return {'id':id,'type':'function','function':{'name':'get','arguments':'{"a":1}'}}
U={'role':'user','content':'q'}
for label in LABELS:
    def c(name,messages,**k):
        print(json.dumps({'id':f'matrix/{name}/{label}','version':label,**k.pop('case',{}),'request':{'messages':messages,**k}}))
    for kind,chunk in CH.items():
        if '+' in label and kind not in ('thinking','image_url'): continue
        c(f'user_{kind}',[{'role':'user','content':[T,chunk]}])
        c(f'system_{kind}',[{'role':'system','content':[T,chunk]},U])
        c(f'assistant_{kind}',[U,{'role':'assistant','content':[T,chunk]},U])
        c(f'tool_{kind}',[U,{'role':'assistant','content':None,'tool_calls':[call()]},{'role':'tool','content':[T,chunk],'tool_call_id':A,'name':'get'}])
    if '+' in label: continue
    for kind in ('input_audio','audio_url'):
        c(f'audio_after_system_{kind}',[{'role':'system','content':'s'},{'role':'user','content':[T,CH[kind]]}])
    for ids in ('short','null','','0123456789'):
        c(f'id_{ids or "empty"}',[U,{'role':'assistant','content':None,'tool_calls':[call(ids)]},{'role':'tool','content':'1','tool_call_id':ids}])
    c('result_id_other',[U,{'role':'assistant','content':None,'tool_calls':[call()]},{'role':'tool','content':'1','tool_call_id':B}])
    c('results_reversed',[U,{'role':'assistant','content':None,'tool_calls':[call(A),call(B)]},{'role':'tool','content':'2','tool_call_id':B},{'role':'tool','content':'1','tool_call_id':A}])
    c('old_calls',[U,{'role':'assistant','content':None,'tool_calls':[call(A)]},{'role':'tool','content':'2','tool_call_id':A},{'role':'assistant','content':'b  '},U])
    c('text_and_calls',[U,{'role':'assistant','content':'b ','tool_calls':[call(A)]},{'role':'tool','content':'2','tool_call_id':A}])
    c('tools_and_systems',[{'role':'system','content':'s'},U,{'role':'assistant','content':'b'},{'role':'user','content':'r'}],tools=[{'type':'function','function':{'name':'get','description':'d','parameters':{}}}])
    c('effort',[U],reasoning_effort='high')
    c('dangling_call',[U,{'role':'assistant','content':None,'tool_calls':[call(A)]},U])
    for n in (2,8,100):
        c(f'truncate_{n}',[{'role':'system','content':'sys'},{'role':'user','content':'one two three'},{'role':'assistant','content':'four five'},{'role':'user','content':'six seven'}],truncate_for_context_length=True,case={'max_model_input_len':n})
    print(json.dumps({'id':f'matrix/fim/{label}','version':label,'kind':'fim','request':{'prompt':'a','suffix':'b'}}))
