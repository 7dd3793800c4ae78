"""How the page looks and the little it does: style and script, both inside the page."""

STYLE = """
:root{color-scheme:light dark;--ink:#1c1d22;--soft:#5d6068;--paper:#fbfaf8;--card:#fff;
  --line:#dedbd5;--asked:#6b7078;--heard:#c8323f;--good:#1d7f5f;--bad:#c8323f;--band:#1c1d2212;
  --accent:#2a5fa5}
@media(prefers-color-scheme:dark) {
  :root{--ink:#e9e7e2;--soft:#a3a19b;--paper:#141519;--card:#1c1e24;--line:#33363e;--asked:#9aa0ab;
    --heard:#ff7b7f;--good:#5fcfa6;--bad:#ff8a8a;--band:#ffffff14;--accent:#8ab8f5}
}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0;color:var(--ink);background:var(--paper)}
main{max-width:75rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{margin:0;font-size:2.2rem;line-height:1.15}
h2{margin:3rem 0 .3rem;font-size:1.45rem}
h3{margin:0 0 .4rem;font-size:1rem;overflow-wrap:anywhere}
p{margin:.3rem 0 .8rem;max-width:46rem}
a{color:var(--accent)}
.soft,.none,figcaption,small{color:var(--soft)}
figcaption,small{font-size:.85rem}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:1rem 0;padding:.6rem 0;
  border-block:1px solid var(--line)}
nav a{text-decoration:none}
.verdict{display:grid;grid-template-columns:auto 1fr;gap:.4rem 1.6rem;align-items:center;
  background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:1rem 1.2rem;
  margin:1.2rem 0}
.count{font-size:2.6rem;font-weight:700;line-height:1}
.count small{font-size:1rem;font-weight:400}
.missed{list-style:none;display:flex;flex-wrap:wrap;gap:.4rem;padding:0;margin:0}
.missed li{border:1px solid var(--bad);border-radius:1rem;padding:.1rem .7rem;font-size:.9rem}
.missed b,.no{color:var(--bad)}
.yes{color:var(--good)}
.no,.yes{font-weight:600;white-space:nowrap}
.grid{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr))}
.card{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:.9rem;
  min-width:0;margin:0 0 1rem}
.grid .card{margin:0}
.grid .card .soft{font-size:.9rem;line-height:1.4;margin:.2rem 0 .5rem}
.grid.four{grid-template-columns:repeat(auto-fill,minmax(min(100%,16.2rem),1fr))}
.grid.two{grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr))}
.charts{display:grid;gap:.2rem .8rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,14rem),1fr))}
.between{margin:1.6rem 0 .5rem}
.three{display:grid;gap:1rem;grid-template-columns:repeat(3,minmax(0,1fr))}
figure{margin:0;min-width:0}
figcaption{margin:.1rem 0 .4rem}
.spec{position:relative;margin:0 0 1.3rem 2.6rem;cursor:crosshair}
.spec img{display:block;width:100%;height:11rem;image-rendering:auto;border-radius:.2rem}
.low .spec img{height:7.5rem}
.spec span{position:absolute;font-size:.7rem;color:var(--soft);line-height:1;white-space:nowrap}
.spec .f{right:calc(100% + .3rem);transform:translateY(50%)}
.spec .t{top:calc(100% + .25rem);transform:translateX(-50%)}
.spec .t:last-of-type{transform:translateX(-100%)}
.spec i{position:absolute;top:0;bottom:0;width:2px;margin-left:-1px;background:#fff;
  box-shadow:0 0 2px #000;left:0;display:none;pointer-events:none}
audio{display:block;width:100%;height:2.4rem;margin:.2rem 0 .4rem}
.chart{display:block;width:100%;height:auto;font-size:10px;overflow:visible}
.chart text{fill:var(--soft)}
.chart .rule{stroke:var(--line);stroke-width:1}
.chart .band{fill:var(--band)}
.chart .level{stroke:var(--soft);stroke-width:1}
.chart polyline{fill:none;stroke-width:1.5;stroke-linejoin:round}
.chart .asked{stroke:var(--asked)}
.chart .heard{stroke:var(--heard)}
.chart .thin{stroke:var(--heard);stroke-width:1}
.key{font-size:.85rem;color:var(--soft)}
.key b{display:inline-block;width:1.6em;height:0;border-top:2px solid;vertical-align:middle;
  margin:0 .3em 0 .8em}
.key .a{color:var(--asked)}
.key .h{color:var(--heard)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.28rem .9rem .28rem 0;border-bottom:1px solid var(--line);text-align:right;
  vertical-align:top}
th:first-child,td:first-child{text-align:left}
th{font-weight:600;color:var(--soft);font-size:.85rem;vertical-align:bottom}
td.l,th.l{text-align:left;min-width:6.5rem;overflow-wrap:break-word}
tr:last-child td{border-bottom:0}
td:first-child{min-width:8.5rem}
tr.miss td:nth-child(2){color:var(--bad);font-weight:600}
td.null{color:var(--soft)}
.scale{height:.6rem;max-width:14rem;border-radius:.2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem;margin:.6rem 0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
code{overflow-wrap:anywhere}
@media(max-width:50rem) {
  main{padding:1rem .8rem 3rem}
  h1{font-size:1.8rem}
  .three{grid-template-columns:1fr}
  .verdict{grid-template-columns:1fr}
  .spec img{height:9rem}
  th,td{padding-right:.7rem;font-size:.88rem}
  dl{grid-template-columns:1fr}
  dd{margin-bottom:.4rem}
}
@media print{audio,nav{display:none}}
"""

SCRIPT = """
const sounds = [...document.querySelectorAll('audio')];
for (const sound of sounds) {
  const picture = sound.closest('figure')?.querySelector('.spec'), mark = picture?.querySelector('i');
  const draw = () => {
    mark.style.display = 'block';
    mark.style.left = `${100 * sound.currentTime / (sound.duration || 1)}%`;
    if (!sound.paused) requestAnimationFrame(draw);
  };
  sound.addEventListener('play', () => {
    for (const other of sounds) if (other !== sound) other.pause();
    if (mark) draw();
  });
  picture?.addEventListener('click', event => {
    const box = picture.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
    const go = () => { sound.currentTime = share * sound.duration; sound.play(); };
    if (sound.readyState > 0) return go();
    sound.addEventListener('loadedmetadata', go, {once: true});
    sound.load();
  });
}
"""
