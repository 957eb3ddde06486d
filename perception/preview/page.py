"""The page of the preview, in the languages of the project. It loads nothing from elsewhere."""

from __future__ import annotations

_WORDS = {
    "en": {
        "lang": "en",
        "title": "reflexarc",
        "lost": "Connection lost; trying again…",
        "waiting": "Waiting for the first frame…",
        "seen": "What is seen",
        "nothing": "nothing",
        "going": "How it goes",
        "task": "task",
        "looks": "looks",
        "dropped": "dropped",
        "failed": "failed",
        "camera": "camera",
        "snapshot": "Save this picture",
    },
    "zh": {
        "lang": "zh-CN",
        "title": "reflexarc",
        "lost": "连接中断，正在重试……",
        "waiting": "等待第一帧……",
        "seen": "看到的内容",
        "nothing": "无",
        "going": "运行状况",
        "task": "任务",
        "looks": "已处理",
        "dropped": "丢弃",
        "failed": "失败",
        "camera": "摄像头",
        "snapshot": "保存这张图片",
    },
}

# Words stand as {{name}}; everything else is as the browser gets it. Values from frames
# reach the page through textContent only.
_PAGE = """<!doctype html>
<html lang="{{lang}}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
  body { margin: 0; padding: 1rem; display: flex; flex-wrap: wrap; gap: 1rem; }
  figure { margin: 0; flex: 3 1 24rem; }
  figure img { width: 100%; background: #8882; border-radius: 6px; min-height: 6rem; }
  aside { flex: 1 1 18rem; }
  h2 { font-size: 1rem; margin: .2rem 0 .4rem; }
  table { border-collapse: collapse; width: 100%; margin-bottom: 1.2rem; }
  td, th { text-align: left; padding: .15rem .5rem .15rem 0; border-bottom: 1px solid #8884; }
  td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
  #note { color: #b60; min-height: 1.4em; }
</style>
<figure>
  <img id="stream" src="/stream.mjpg" alt="{{waiting}}">
  <figcaption><a href="/snapshot.jpg" download="snapshot.jpg">{{snapshot}}</a></figcaption>
</figure>
<aside>
  <div id="note" role="status">{{waiting}}</div>
  <h2>{{seen}}</h2><table id="seen"></table>
  <h2>{{going}}</h2><table id="going"></table>
  <div id="camera"></div>
</aside>
<script>
const get = id => document.getElementById(id);
function fill(table, rows) {
  table.replaceChildren(...rows.map(row => {
    const tr = document.createElement("tr");
    for (const [i, value] of row.entries()) {
      const cell = document.createElement("td");
      cell.textContent = value;
      if (i) cell.className = "n";
      tr.append(cell);
    }
    return tr;
  }));
}
const ms = pair => pair ? pair.map(v => v.toFixed(1)).join(" / ") + " ms" : "–";
function seen(observations) {
  const rows = [];
  for (const o of observations) {
    for (const d of o.detections.slice(0, 12))
      rows.push([(d.track == null ? "" : "#" + d.track + " ") + d.label,
                 Math.round(100 * d.score) + " %"]);
    for (const [name, count] of Object.entries(o.counts)) rows.push([name, count]);
  }
  return rows.length ? rows : [["{{nothing}}", ""]];
}
let lost = false;
async function poll() {
  try {
    const [said, going] = await Promise.all(["/observations", "/statistics"].map(
      path => fetch(path, {cache: "no-store"}).then(answer => answer.json())));
    if (lost) get("stream").src = "/stream.mjpg?" + Date.now();
    lost = false;
    get("note").textContent = said.frame ? "" : "{{waiting}}";
    fill(get("seen"), seen(said.observations));
    fill(get("going"), [["{{task}}", "{{looks}}", "{{dropped}}", "{{failed}}", "p50 / p99"],
      ...Object.entries(going.tasks || {}).map(([name, t]) =>
        [name, t.seen, t.dropped, t.failed, ms(t.look_ms)])]);
    const c = going.camera;
    get("camera").textContent = c ? "{{camera}}: " + c.health +
      (c.fps ? ", " + c.fps.toFixed(1) + " fps" : "") + ", {{dropped}} " + c.dropped : "";
  } catch (error) {
    lost = true;
    get("note").textContent = "{{lost}}";
  }
  setTimeout(poll, 500);
}
poll();
</script>
</html>
"""


def page(accept_language: str) -> str:
    """The page in the first language that the browser asks for and that we have."""
    text = _PAGE
    for name, word in _WORDS[_language(accept_language)].items():
        text = text.replace("{{" + name + "}}", word)
    return text


def _language(accept_language: str) -> str:
    """RFC 9110, 12.5.4: ``zh-CN,zh;q=0.9,en;q=0.8``; order of equal weights is the user's."""
    wanted = []
    for part in accept_language.split(","):
        name, _, weight = part.partition(";q=")
        try:
            wanted.append((float(weight or 1), name.strip().lower().partition("-")[0]))
        except ValueError:
            continue
    liked = (language for q, language in sorted(wanted, key=lambda one: -one[0]) if q > 0)
    return next((language for language in liked if language in _WORDS), "en")
