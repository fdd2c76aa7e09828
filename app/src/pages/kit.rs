//! Every piece of the kit in every state, for those who build screens.

use crate::shell::PageTitle;
use crate::text::{Texts, texts, units};
use crate::ui::{
    Bars, Button, ButtonSize, Capacity, CopyButton, Dialog, Erase, Icon, Line, LinkButton, NumberField, Pick,
    SelectField, Shape, Stop, Stopwatch, Tab, Table, TextArea, TextField, Tone, Trace, bar_chart, capacity, cell, col,
    col_num, dialog_button, empty, head, icon, legend, line_chart, mark, meter, notice, rail, seg_links, skeleton,
    state, state_tag, tabs, why,
};
use leptos::prelude::*;

/// The page.
#[component]
pub fn Kit() -> AnyView {
    let t = texts();
    let lead = t.pick(
        "所有组件及其状态汇于一页。若页面需要这里没有的组件，请先确认是否真的需要。",
        "Every piece in every state. If a screen needs more, ask first whether it does.",
    );
    view! {
        <PageTitle text=t.shell.kit/>
        {head(
            view! { <h1>{t.shell.kit}</h1> }.erase(),
            view! { <p class="lead">{lead}</p> }.erase(),
            ().into_any(),
        )}
        {part("ka", t.pick("按钮", "Buttons"), buttons(t))}
        {part("kb", t.pick("字段", "Fields"), fields(t))}
        {part("kc", t.pick("状态", "States"), states(t))}
        {part("kd", t.pick("度量", "Measures"), measures(t))}
        {part("ke", t.pick("图表", "Charts"), charts(t))}
        {part("kf", t.pick("表格", "Table"), table(t))}
        {part("kg", t.pick("提示", "Notices"), notices(t))}
        {part("kh", t.pick("选择与标签页", "Choices and tabs"), choices(t))}
        {part("ki", t.pick("交付轨道", "Rail"), the_rail(t))}
        {part("kj", t.pick("对话框", "Dialog"), dialog(t))}
        {part("kk", t.pick("图标", "Icons"), icons())}
    }
    .erase()
}

fn part(id: &'static str, title: &'static str, body: AnyView) -> AnyView {
    view! {
        <section class="kit" aria-labelledby=id>
            <header><h2 id=id>{title}</h2></header>
            <div class="demo">{body}</div>
        </section>
    }
    .erase()
}

fn buttons(t: &'static Texts) -> AnyView {
    let noop = Callback::new(|()| ());
    let reason = t.pick("仅团队负责人可操作。", "Only a lead of the team may do this.");
    view! {
        <div class="row">
            <Button label=t.new_app.go tone=Tone::Primary on_press=noop/>
            <Button label=t.app.restart glyph=Icon::Restart on_press=noop/>
            <Button label=t.shell.cancel tone=Tone::Quiet on_press=noop/>
            <Button label=t.app.stop tone=Tone::Danger on_press=noop/>
            <Button label=t.app.delete_for_good tone=Tone::Destroy on_press=noop/>
        </div>
        <div class="row">
            <Button label=t.shell.filter size=ButtonSize::Small glyph=Icon::Filter on_press=noop/>
            <Button label=t.app.roll_back size=ButtonSize::Tiny glyph=Icon::RollBack on_press=noop/>
            <LinkButton href="/kit" label=t.shell.show size=ButtonSize::Small/>
            <CopyButton text="198.18.24.61" label=t.shell.copy done=t.shell.copied/>
        </div>
        <div class="row">
            <Button id="kit-no" label=t.new_app.go tone=Tone::Primary refused=Signal::stored(Some(reason.to_owned())) bare=true/>
            {why("kit-no-why".to_owned(), Icon::Lock, reason)}
        </div>
    }
    .erase()
}

fn fields(t: &'static Texts) -> AnyView {
    let n = &t.new_app;
    let wrong = Signal::stored(Some(t.pick("该名称已被使用。", "This name is taken.").to_owned()));
    let fine = Signal::stored(Some((n.name_free)("claims-portal.prod.padis.localhost")));
    view! {
        <div class="half">
            <TextField id="k-path" label=n.health_path code=true value="/actuator/health" hint=n.health_path_hint/>
            <TextField id="k-name" label=n.name code=true value="claims-portal" error=wrong/>
            <SelectField id="k-pool" label=t.apps.pool options=vec![("a".into(), "sf-prod".into()), ("b".into(), "web-prod".into())] value="a"/>
            <TextField id="k-fine" label=n.name code=true value="claims-portal" suffix=Signal::stored(Some(".prod.padis.localhost".to_owned())) fine=fine/>
            <NumberField id="k-n" label=n.instances value="3" min=1 max=200 unit=t.overview.instances/>
            <TextArea id="k-env" label=n.env note=t.shell.optional code=true value="DB_URL=jdbc:db2://db01/claims" hint=n.env_hint/>
        </div>
    }
    .erase()
}

const SHAPES: [Shape; 11] = [
    Shape::Ok,
    Shape::Run,
    Shape::Wait,
    Shape::Leave,
    Shape::Warn,
    Shape::Bad,
    Shape::Off,
    Shape::Used,
    Shape::Free,
    Shape::Held,
    Shape::Plain,
];

fn states(t: &'static Texts) -> AnyView {
    let words = [
        t.pick("正常", "Well"),
        t.pick("启动中", "Starting"),
        t.pick("等待中", "Waiting"),
        t.pick("退出中", "Leaving"),
        t.pick("缓慢", "Slow"),
        t.pick("失败", "Failed"),
        t.pick("已停止", "Stopped"),
        t.pick("已分配", "Allocated"),
        t.pick("空闲", "Free"),
        t.pick("已预留", "Reserved"),
        t.pick("记录", "Noted"),
    ];
    let bare = SHAPES.into_iter().zip(words).map(|(s, w)| state(s, w)).collect_view();
    let tags = SHAPES.into_iter().zip(words).map(|(s, w)| state_tag(s, w)).collect_view();
    let marks = SHAPES.into_iter().map(mark).collect_view();
    view! {
        <div class="row">{bare}</div>
        <div class="row">{tags}</div>
        <div class="row">{marks}</div>
    }
    .erase()
}

fn measures(t: &'static Texts) -> AnyView {
    let m = |v: f64| {
        view! { <span class="nowrap">{meter(v, 1.0, "CPU", false)}{format!("{} / 1 CPU", units::fixed(v, 2))}</span> }
            .erase()
    };
    let c = Capacity { used: 166, held: 9, total: 192 };
    view! {
        <div class="row">{m(0.31)} {m(0.86)} {m(0.98)}</div>
        <div>
            {capacity(c, "166 / 9 / 192", false)}
            <div class="gap-s">{legend(format!("166 {}", t.shell.used), format!("9 {}", t.shell.held), format!("17 {}", t.shell.free))}</div>
        </div>
        {capacity(c, "166 / 9 / 192", true)}
        <progress value="38.4" max="61.2" aria-label=t.new_app.upload></progress>
        <Stopwatch base_ms=19_000 running=true/>
    }
    .erase()
}

fn charts(t: &'static Texts) -> AnyView {
    // A wave of parabolas: the sine would cost the browser's binary 7 kB for this one line.
    let wave = |i: u32| {
        let x = f64::from(i % 31) / 15.5 - 1.0;
        4.0 * x * (x.abs() - 1.0)
    };
    let points = (0..48).map(|i| (f64::from(i), 1.1 + 0.3 * wave(i))).collect();
    let axis = ["13:03".to_owned(), (t.shell.limit)("3"), "14:03".to_owned()];
    let table = ([t.app.time.to_owned(), "CPU".to_owned()], vec![["14:03".to_owned(), "1.06".to_owned()]]);
    view! {
        <div class="charts">
            {line_chart(Line {
                title: "CPU".into(),
                figure: "1.06 / 3".into(),
                label: "CPU".into(),
                points,
                limit: Some(3.0),
                marks: vec![30.0],
                axis: axis.clone(),
                table: table.clone(),
                figures: t.shell.figures.into(),
            })}
            {bar_chart(Bars {
                label: "CPU".into(),
                values: vec![2.0, 0.0, 1.0, 4.0, 3.0],
                bad: vec![false, false, false, true, false],
                axis,
                table,
                figures: t.shell.figures.into(),
            })}
        </div>
    }
    .erase()
}

fn table(t: &'static Texts) -> AnyView {
    let heads =
        view! { {col(t.apps.application, "")} {col(t.shell.state, "")} {col_num(t.apps.instances, "")} }.erase();
    let row = |name: &'static str, shape, n: &'static str| {
        view! {
            <tr>
                <th scope="row">{name}</th>
                {cell("", state(shape, t.shell.state))}
                {cell("num", n.into_any())}
            </tr>
        }
        .erase()
    };
    view! {
        <Table label=t.shell.applications head=heads.into_any()>
            {row("Agency desk", Shape::Wait, "2 / 4")}
            {row("Claims portal", Shape::Ok, "3 / 3")}
        </Table>
    }
    .erase()
}

fn notices(t: &'static Texts) -> AnyView {
    let action = || view! { <LinkButton href="/kit" label=t.app.read_log size=ButtonSize::Small/> }.erase();
    view! {
        {notice(Shape::Bad, t.pick("r10 未能上线，r9 继续提供服务。", "r10 did not come online. r9 keeps answering."), t.pick("应用包启动 4 秒后自行退出。", "The package stopped by itself after 4 s."), action())}
        {notice(Shape::Warn, t.pick("等待主机。", "Waits for a host."), t.pick("没有空闲 2 CPU 的主机。", "No host has 2 CPUs free."), ().into_any())}
        {notice(Shape::Ok, t.app.saved, "", ().into_any())}
        <div class="half">
            {empty(t.apps.none_title, t.apps.none_text, action())}
            {skeleton((t.shell.loading)(t.shell.applications), 3)}
        </div>
    }
    .erase()
}

fn choices(t: &'static Texts) -> AnyView {
    let pick = |value: &'static str, word: &'static str, on: bool| {
        view! {
            <Pick name="k-size" value=value checked=on class="size">
                <b>{word}</b>
                <span>{t.new_app.size_m}</span>
            </Pick>
        }
        .erase()
    };
    let tab = |label: &str, current| Tab { href: "/kit".into(), label: label.into(), count: Some("3".into()), current };
    view! {
        <fieldset class="grid4"><legend class="vh">{t.new_app.size_label}</legend>{pick("s", "S", false)} {pick("m", "M", true)}</fieldset>
        <div>{seg_links(t.app.span, vec![("/kit".into(), t.app.span_hour.into(), true), ("/kit?span=day".into(), t.app.span_day.into(), false)])}</div>
        {tabs(t.app.parts, vec![tab(t.app.now, true), tab(t.app.instances, false)])}
    }
    .erase()
}

fn the_rail(t: &'static Texts) -> AnyView {
    let stop = |shape, name: &str, from, to, arrive, open| Stop {
        shape,
        name: name.to_owned(),
        state: name.to_owned(),
        evidence: "198.18.24.61".into_any(),
        took: t.took(((to - from) * 1000.0) as i64).into_any(),
        trace: Some(Trace { from, to }),
        arrive,
        open,
    };
    let failed = notice(Shape::Bad, t.app.log_end, "exit code 1", ().into_any());
    rail(
        vec![
            stop(Shape::Ok, t.step(padis_domain::delivery::Step::Running), 0.0, 10.0, false, None),
            stop(Shape::Bad, t.step(padis_domain::delivery::Step::Healthy), 10.0, 31.0, false, Some(failed)),
            stop(Shape::Run, t.step(padis_domain::delivery::Step::Balanced), 31.0, 33.0, false, None),
            stop(Shape::Ok, t.step(padis_domain::delivery::Step::Answered), 33.0, 34.0, true, None),
        ],
        Some(34.0),
        t.app.took,
        t.pick("秒", "s"),
    )
}

fn dialog(t: &'static Texts) -> AnyView {
    view! {
        <div>{dialog_button("k-dialog", format!("{} …", t.app.delete), Tone::Danger, ButtonSize::Normal, None)}</div>
        <Dialog id="k-dialog" title=(t.app.delete_title)("Claims portal") close=t.shell.close>
            <div class="dlg-b"><p class="second">{(t.app.delete_text)(&t.instances(3), &t.release_count(11))}</p></div>
            <div class="dlg-f">
                <button class="btn" type="button" popovertarget="k-dialog" popovertargetaction="hide">{t.app.keep}</button>
            </div>
        </Dialog>
    }
    .erase()
}

fn icons() -> AnyView {
    let all = Icon::ALL
        .iter()
        .map(|i| view! { <span class="lone">{icon(*i)}" "<code>{format!("{i:?}")}</code></span> }.erase())
        .collect_view();
    view! { <div class="row">{all}</div> }.erase()
}
