/* SPDX-License-Identifier: Apache-2.0 */
/* How the report looks: on wide and narrow screens, light and dark, and on paper. */
#include "listen/report.h"

static const char *const style[] = {
    ":root{color-scheme:light dark;--bg:#f4f6f9;--card:#fff;--ink:#17202b;--soft:#566273;--line:#dbe1e8;"
    "--faint:#eef1f5;--accent:#0a5fb4;--good:#14713f;--goodbg:#e3f4ea;--warn:#8a4f00;--warnbg:#fdf1dc;--bad:#b3261e;"
    "--badbg:#fdeae8;--c0:#2f78bd;--c1:#c2680f;--c2:#2f8f4e;--c3:#8657bd;--c4:#c44a7a;--c5:#17858a;--c6:#8f7018;"
    "--c7:#5d6fa8;--c8:#7c8794}\n",
    "@media(prefers-color-scheme:dark){:root{--bg:#0e1319;--card:#171e27;--ink:#e7ecf2;--soft:#a3afbd;--line:#2c3743;"
    "--faint:#1f2832;--accent:#79b8ff;--good:#6fd39a;--goodbg:#14301f;--warn:#f0b45a;--warnbg:#35270f;--bad:#ff8a80;"
    "--badbg:#3a1917;--c0:#5a9fe0;--c1:#e69146;--c2:#57b577;--c3:#b08ae0;--c4:#e57ba5;--c5:#46b4b8;--c6:#c4a348;"
    "--c7:#8b9cd6;--c8:#8e99a6}}\n",
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}"
    "body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,"
    "\"Noto Sans\",Arial,sans-serif}main,header,footer{max-width:1120px;margin:0 auto;padding:0 20px}"
    "header{padding-top:36px}h1{font-size:1.9rem;line-height:1.2;margin:0 0 6px;overflow-wrap:anywhere;"
    "letter-spacing:-.015em}h2{font-size:1.2rem;margin:0 0 4px;letter-spacing:-.01em}"
    "h3{font-size:1rem;margin:0}p{margin:0 0 12px}.soft{color:var(--soft)}small,.small{font-size:.84rem}"
    "a{color:var(--accent)}a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:3px solid var(--accent);"
    "outline-offset:2px;border-radius:6px}.skip{position:absolute;left:-999px}.skip:focus{left:12px;top:8px;"
    "background:var(--card);padding:8px 12px}\n",
    "section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:20px 22px;margin:18px 0;"
    "box-shadow:0 1px 2px rgba(10,20,40,.04)}.tiles{display:grid;grid-template-columns:repeat(auto-fit,"
    "minmax(140px,1fr));gap:12px;margin:20px 0 0;padding:0}.tiles div{background:var(--card);border:1px solid "
    "var(--line);border-radius:14px;padding:12px 16px}.tiles dt{color:var(--soft);font-size:.82rem}.tiles dd{margin:0;"
    "font-size:1.45rem;font-weight:650;line-height:1.25;letter-spacing:-.02em;font-variant-numeric:tabular-nums}"
    ".tiles .note{display:block;font-size:.8rem;font-weight:400;color:var(--soft);letter-spacing:0}\n",
    "nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin-top:14px;font-size:.92rem}nav a{padding:4px 0}"
    ".hints{list-style:none;margin:12px 0 0;padding:0;display:grid;gap:10px}.hints li{border-left:4px solid var(--c0);"
    "background:var(--faint);border-radius:4px 10px 10px 4px;padding:10px 14px}.hints p{margin:2px 0 0}"
    ".hints .warn{border-color:var(--warn);background:var(--warnbg)}.hints .bad{border-color:var(--bad);"
    "background:var(--badbg)}.hints .good{border-color:var(--good);background:var(--goodbg)}\n",
    ".scroll{overflow-x:auto;margin:12px -22px 0;padding:0 22px 6px}svg{display:block;font-family:inherit}"
    "svg text{fill:var(--ink)}svg .s{fill:var(--soft)}svg .grid{stroke:var(--line)}svg.wide{width:100%;min-width:720px}"
    "table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}"
    "caption{text-align:left;color:var(--soft);font-size:.84rem;padding-bottom:6px}th,td{padding:8px 9px;"
    "border-bottom:1px solid var(--line);text-align:right;vertical-align:top;white-space:nowrap}thead th{"
    "vertical-align:bottom;white-space:normal;line-height:1.3;color:"
    "var(--soft);font-weight:600;border-bottom:2px solid var(--line)}th:first-child,td:first-child,.l{text-align:left"
    "!important}td.name,th.name{text-align:left;white-space:normal;min-width:170px;overflow-wrap:anywhere;"
    "font-weight:400}thead th.name{font-weight:600}tbody tr:last-child>*{border-bottom:0}"
    "tbody tr:target{background:var(--warnbg)}",
    ".bar{display:block;height:5px;border-radius:3px;margin-top:5px;background:var(--faint)}.bar i{display:block;"
    "height:5px;border-radius:3px;min-width:2px}.tag{display:inline-block;border-radius:99px;padding:0 8px;"
    "font-size:.76rem;line-height:1.6;font-weight:600;background:var(--faint);color:var(--soft)}.tag.bad{background:"
    "var(--badbg);color:var(--bad)}.tag.good{background:var(--goodbg);color:var(--good)}.tag.warn{background:"
    "var(--warnbg);color:var(--warn)}.strong{font-weight:650}td.hot{color:var(--warn);font-weight:650}"
    "td.badly{color:var(--bad);font-weight:650}\n",
    "details{border-top:1px solid var(--line);margin-top:12px;padding-top:10px}summary{cursor:pointer;"
    "overflow-wrap:anywhere}summary::marker{color:var(--soft)}pre{white-space:pre-wrap;overflow-wrap:anywhere;"
    "background:var(--faint);border-radius:8px;padding:8px 12px;margin:6px 0 0;font:13px/1.45 ui-monospace,"
    "SFMono-Regular,"
    "Menlo,Consolas,monospace}.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0 0;"
    "padding:0;"
    "font-size:.84rem}.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px}\n",
    ".c0{fill:var(--c0);background:var(--c0)}.c1{fill:var(--c1);background:var(--c1)}.c2{fill:var(--c2);background:"
    "var(--c2)}.c3{fill:var(--c3);background:var(--c3)}.c4{fill:var(--c4);background:var(--c4)}.c5{fill:var(--c5);"
    "background:var(--c5)}.c6{fill:var(--c6);background:var(--c6)}.c7{fill:var(--c7);background:var(--c7)}.c8{fill:"
    "var(--c8);background:var(--c8)}.cf{fill:var(--bad);background:var(--bad)}.lane{fill:var(--faint)}"
    ".job{fill:var(--faint);stroke:var(--line)}.gone{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:3 3}"
    ".mem{fill:var(--c0);fill-opacity:.25;stroke:var(--c0);stroke-width:1.8;background:var(--c0)}.disk{fill:none;"
    "stroke:var(--c1);stroke-width:1.8;stroke-dasharray:5 3;background:var(--c1)}\n",
    ".box{fill:var(--card);stroke:var(--c0);stroke-width:1.6}.skipped .box{stroke:var(--c8);stroke-dasharray:5 4}"
    ".skipped text{fill:var(--soft)}.failed .box{stroke:var(--bad);stroke-width:2.2}.rdd{fill:var(--faint);stroke:"
    "var(--line)}.cached{fill:var(--goodbg);stroke:var(--good);stroke-width:1.6}svg .mark{fill:var(--good);"
    "font-weight:650}.wire{fill:none;stroke:var(--soft);stroke-width:1.5}.wire.in{stroke:var(--c8);stroke-width:1.2}"
    ".tip{fill:var(--soft)}svg a:hover .box{stroke-width:3}footer{padding-bottom:48px;color:var(--soft);"
    "font-size:.84rem;overflow-wrap:anywhere}\n",
    "@media(max-width:560px){main,header,footer{padding-left:12px;padding-right:12px}header{padding-top:22px}"
    "section{padding:16px 14px;border-radius:12px}.scroll{margin:10px -14px 0;padding:0 14px 6px}h1{font-size:1.45rem}"
    ".tiles{grid-template-columns:1fr 1fr;gap:8px}.tiles div{padding:10px 12px}.tiles dd{font-size:1.2rem}}\n",
    "@media print{:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--faint:#f1f1f1;--accent:#0a5fb4;"
    "--good:#14713f;--goodbg:#e3f4ea;--warn:#8a4f00;--warnbg:#fdf1dc;--bad:#b3261e;--badbg:#fdeae8;--c0:#2f78bd;"
    "--c1:#c2680f;--c2:#2f8f4e;--c3:#8657bd;--c4:#c44a7a;--c5:#17858a;--c6:#8f7018;--c7:#5d6fa8;--c8:#7c8794}"
    "@page{margin:14mm}html{font-size:12px}body{font-size:11px}main,header,footer{max-width:none;padding:0}nav,.skip{"
    "display:none}"
    "section{box-shadow:none;margin:10px 0;padding:10px 12px;-webkit-print-color-adjust:exact;"
    "print-color-adjust:exact}.scroll{overflow:visible}.scroll svg{max-width:100%;height:auto}.wide{"
    "min-width:0!important}"
    "table{font-size:9px}th,td{padding:3px 4px;white-space:normal}tr,.hints li,svg,.tiles div{break-inside:avoid}"
    "h2,h3{break-after:avoid}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}\n",
};

void spk_report_style(spk_json_out *out)
{
    for (size_t i = 0; i < sizeof style / sizeof *style; i++)
        spk_page_put(out, style[i]);
}
