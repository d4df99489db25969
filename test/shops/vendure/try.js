const { Shop, allLines } = require('./client');
(async()=>{ const s=new Shop('x', process.argv[2], process.env.PGDATABASE); await s.start();
 const o=await s.place('authorized'); console.log(s.transcript.join('\n'));
 console.log(JSON.stringify(await s.admin.settle(o.payments[0].id)));
 console.log(JSON.stringify(await s.admin.cancel(o.id,{reason:'x',cancelShipping:true}),null,1));
 process.exit(0)})()
