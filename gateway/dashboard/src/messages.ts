// Every word of the page, in both languages. A key without a language, a hole that one language lacks or a call without
// its parameters does not pass the type check. {holes} are named; `count` also chooses the plural form (Unicode CLDR:
// English has `one` and `other`, Chinese only `other`, so that it is one sentence).

interface Message {
  readonly en: string | { readonly one: string; readonly other: string };
  readonly zh: string;
}

export const messages = {
  // The strip
  live: { en: "live {age}", zh: "实时 {age}" },
  "link.broker": { en: "Agents", zh: "边缘代理" },
  "link.history": { en: "History", zh: "历史记录" },
  "link.cloud": { en: "Cloud", zh: "云端" },
  "link.ok": { en: "in step", zh: "同步" },
  "link.behind": { en: "{count} waiting", zh: "{count} 条待传" },
  "link.behindSince": { en: "{count} waiting, oldest {age}", zh: "{count} 条待传，最早 {age}" },
  "link.down": { en: "no link", zh: "未连接" },
  "link.downWaiting": { en: "no link, {count} waiting", zh: "未连接，{count} 条待传" },
  "link.pictures": { en: "Pictures", zh: "图片" },
  "link.notKept": { en: "not kept", zh: "无法保存" },
  "open.none": { en: "Nothing open", zh: "无待办" },
  "open.some": { en: "{count} open", zh: "{count} 项待办" },
  "language.choose": { en: "Language", zh: "语言" },
  "theme.choose": { en: "Colours", zh: "配色" },
  "theme.light": { en: "Light", zh: "浅色" },
  "theme.dark": { en: "Dark", zh: "深色" },
  "theme.contrast": { en: "Contrast", zh: "高对比" },
  "skip.todo": { en: "Skip to what is to do now", zh: "跳到当前待办" },

  // Silence
  "stale.since": {
    en: "No news since {time} ({age}). Every figure below is from then. Trying again.",
    zh: "自 {time} 起没有消息（{age}）。以下数字都是当时的。正在重试。",
  },
  "stale.word": { en: "no news", zh: "没有消息" },
  "start.connecting": { en: "Connecting to the gateway.", zh: "正在连接网关。" },
  "start.failing": {
    en: "The gateway at {host} does not answer. Check that it runs and that this device is on the warehouse network. Trying again.",
    zh: "位于 {host} 的网关没有应答。请检查网关是否在运行，以及本设备是否连着仓库网络。正在重试。",
  },

  // Ages and times
  "age.ago": { en: "{age} ago", zh: "{age}前" },
  "age.seconds": { en: "{seconds}\u00a0s", zh: "{seconds}\u00a0秒" },
  "age.hours": { en: "{hours} h", zh: "{hours} 小时" },
  "age.days": { en: { one: "{count} day", other: "{count} days" }, zh: "{count} 天" },
  "age.never": { en: "not yet", zh: "尚无" },

  // Doors
  "doors.title": { en: "Doors", zh: "库门" },
  "door.in": { en: "in", zh: "进" },
  "door.out": { en: "out", zh: "出" },
  "door.unknown": { en: "unknown", zh: "不明" },
  "door.idle": { en: "idle", zh: "空闲" },
  "door.receiving": { en: "receiving", zh: "收货中" },
  "door.shipping": { en: "shipping", zh: "发货中" },
  "door.expecting": { en: "truck expected", zh: "等待到车" },
  "door.complete": { en: "complete", zh: "已齐" },
  "door.short": { en: "short", zh: "短缺" },
  "door.between": { en: "{outside} to {inside}", zh: "{outside}到{inside}" },
  "door.dock": { en: "Dock to {inside}", zh: "{inside}月台" },
  "door.lastPass": { en: "last pass {ago}", zh: "上次通过 {ago}" },
  "door.noPass": { en: "no pass yet", zh: "尚无通过" },
  "door.unread": { en: "unread", zh: "未读到" },
  "door.strays": {
    en: { one: "{count} stray set apart", other: "{count} strays set apart" },
    zh: "已排除 {count} 个杂散标签",
  },
  "stray.few_reads": { en: "hardly heard", zh: "读到次数太少" },
  "stray.weak": { en: "too far away", zh: "距离太远" },
  "stray.far": { en: "passed at a distance", zh: "从远处经过" },
  "stray.flat": { en: "on a shelf nearby", zh: "附近货架上" },
  "stray.standing": { en: "left standing at the door", zh: "停在门口" },
  "stray.static": { en: "always there", zh: "固定在附近" },
  "stray.turned_back": { en: "turned back", zh: "中途折返" },
  "stray.cross_read": { en: "passed the next door", zh: "通过的是邻门" },
  "stray.ungated": { en: "gate was closed", zh: "门未触发" },
  "stray.late": { en: "read again after its pass", zh: "通过后又被读到" },
  "stray.overflow": { en: "too many at once", zh: "一次过多" },
  "stray.other": { en: "other", zh: "其他" },
  "door.summary": {
    en: "{door}: {inbound} in, {outbound} out, {unknown} unknown.",
    zh: "{door}：进 {inbound}，出 {outbound}，不明 {unknown}。",
  },
  "doors.empty": {
    en: "No door is set up. Add one under “doors” in the site file and start the gateway again.",
    zh: "尚未设置库门。请在站点文件的 doors 中添加，然后重新启动网关。",
  },
  "reader.connected": { en: "{reader} reading", zh: "{reader} 正常读取" },
  "reader.lost": { en: "{reader} lost for {age}", zh: "{reader} 已断开 {age}" },
  "reader.blind": { en: "{reader} blind for {age}", zh: "{reader} 已失明 {age}" },
  "reader.silent": { en: "{reader} silent", zh: "{reader} 无消息" },
  "reader.silentSince": { en: "{reader} not heard since {time}", zh: "{reader} 自 {time} 起无消息" },
  "reader.unknown": { en: "{reader} not heard yet", zh: "{reader} 尚无消息" },
  "door.blind": {
    en: "Nothing reads here now: what passes is not counted.",
    zh: "此处目前没有读取：通过的货物不会被计数。",
  },

  // Sorting lines
  "part.unloaded": {
    en: "This part of the page could not be loaded: the gateway did not answer.",
    zh: "页面的这一部分未能加载：网关没有应答。",
  },
  "part.again": { en: "Try again", zh: "重试" },
  "line.perMinute": { en: "{fruit} fruit a minute", zh: "每分钟 {fruit} 个" },
  "line.noLot": {
    en: "No lot was begun. Say which one runs, so that its rate is known.",
    zh: "尚未开始批次。请填写当前批次，才能得出缺陷率。",
  },
  "line.unwatched": {
    en: "Nothing is seen here now: no fruit is taken as good.",
    zh: "此处目前看不到：任何水果都不会被当作合格。",
  },
  "line.drifted": {
    en: "The picture of {camera} has not looked like what its model learned for {age}",
    zh: "{camera} 的画面偏离模型所学，已 {age}",
  },
  "line.late": { en: "too late", zh: "判定过晚" },
  "line.latest": { en: "Last fruit", zh: "最近的水果" },
  "line.chance": { en: "with the chance that it is defective", zh: "附其有缺陷的概率" },
  "line.noFruit": { en: "No fruit has come yet.", zh: "尚无水果通过。" },
  "line.lastFruit": { en: "last fruit {ago}", zh: "上一个 {ago}" },
  "line.model": { en: "Model {model}", zh: "模型 {model}" },
  "line.shadow": {
    en: "Beside it on trial {model}: {disagreed} of {compared} judged differently",
    zh: "并行试用 {model}：{compared} 个中有 {disagreed} 个判定不同",
  },
  "line.dropped": {
    en: { one: "{count} picture dropped", other: "{count} pictures dropped" },
    zh: "丢弃 {count} 帧画面",
  },
  "line.unpictured": {
    en: {
      one: "{count} verdict not reviewed, for want of its picture",
      other: "{count} verdicts not reviewed, for want of their pictures",
    },
    zh: "{count} 个判定因缺少图片未能复核",
  },
  "belt.picture": { en: "The belt of {line} at {time}", zh: "{line} 的传送带，{time}" },
  "belt.none": { en: "No picture yet.", zh: "尚无画面。" },
  "belt.old": { en: "picture from {time}", zh: "画面停在 {time}" },
  "verdict.good": { en: "good", zh: "合格" },
  "verdict.unsure": { en: "unsure", zh: "存疑" },
  "verdict.defective": { en: "defective", zh: "有缺陷" },
  "verdict.unseen": { en: "unseen", zh: "未看清" },
  "fruit.picture": { en: "Picture of fruit {fruit}", zh: "水果 {fruit} 的图片" },
  "lot.name": { en: "Lot {lot}", zh: "批次 {lot}" },
  "lot.customer": { en: "for {customer}", zh: "客户 {customer}" },
  "lot.running": { en: "running", zh: "进行中" },
  "lot.within": { en: "within its limit", zh: "未超限" },
  "lot.over": { en: "over its limit", zh: "超限" },
  "lot.released": { en: "released", zh: "已放行" },
  "lot.earlier": { en: { one: "{count} earlier lot", other: "{count} earlier lots" }, zh: "之前的 {count} 个批次" },
  "lot.rate": { en: "Defective", zh: "缺陷率" },
  "lot.interval": { en: "95\u00a0% sure: {low} to {high}", zh: "95% 把握：{low} 至 {high}" },
  "lot.limit": { en: "limit {limit}", zh: "上限 {limit}" },
  "lot.unjudged": { en: "nothing judged yet", zh: "尚无判定" },
  "lot.picture": {
    en: "{rate} defective, with 95 % confidence from {low} to {high}; the limit is {limit}",
    zh: "缺陷率 {rate}，95% 置信区间 {low} 至 {high}；上限 {limit}",
  },
  "lot.free": { en: "Release", zh: "放行" },
  "lot.freeWhat": { en: "Release the stock of lot {lot}", zh: "放行批次 {lot} 的库存" },
  "lot.begin": { en: "Begin a lot", zh: "开始新批次" },
  "lotForm.lot": { en: "Which lot?", zh: "批次号" },
  "lotForm.customer": { en: "Customer", zh: "客户" },
  "lotForm.noItem": { en: "not said", zh: "未指定" },
  "lotForm.everybody": { en: "any, limit {limit}", zh: "不限，上限 {limit}" },
  "lotForm.takes": { en: "{customer}, limit {limit}", zh: "{customer}，上限 {limit}" },
  "lotForm.save": { en: "Begin the lot", zh: "开始该批次" },
  "lotForm.needLot": { en: "Say which lot runs.", zh: "请填写批次号。" },
  "lotForm.refused": { en: "Not taken: {reason}", zh: "未接受：{reason}" },
  "lotForm.failed": { en: "Not begun: {reason}. Try again.", zh: "未能开始：{reason}。请重试。" },

  // Review
  "review.open": { en: { one: "Review {count} fruit", other: "Review {count} fruit" }, zh: "复核 {count} 个" },
  "review.title": { en: "Review", zh: "人工复核" },
  "review.waiting": { en: { one: "{count} waits", other: "{count} wait" }, zh: "待复核 {count} 个" },
  "review.empty": {
    en: "Nothing waits. Fruit that the model is unsure of comes here, and a few by chance.",
    zh: "没有待复核的水果。模型拿不准的，以及少量随机抽取的，会出现在这里。",
  },
  "review.unpictured": {
    en: { one: "{count} waits for its picture.", other: "{count} wait for their pictures." },
    zh: "{count} 个在等待图片。",
  },
  "review.notKept": {
    en: "Pictures cannot be kept: the gateway's disk is full. Ask IT to make room. Verdicts and the gate are not affected.",
    zh: "无法保存图片：网关磁盘已满。请让信息人员腾出空间。判定和剔除闸不受影响。",
  },
  "review.said": {
    en: "The model says {verdict}, with a chance of {score} that it is defective.",
    zh: "模型判定：{verdict}，有缺陷的概率为 {score}。",
  },
  "review.saidOnly": { en: "The model says {verdict}.", zh: "模型判定：{verdict}。" },
  "review.sampled": { en: "chosen by chance", zh: "随机抽取" },
  "review.good": { en: "Good", zh: "合格" },
  "review.defective": { en: "Defective", zh: "有缺陷" },
  "review.unusable": { en: "Cannot tell", zh: "无法判断" },
  "review.keys": { en: "The keys 1, 2 and 3 answer, too.", zh: "也可按 1、2、3 键作答。" },
  "review.needWho": { en: "Say who you are first.", zh: "请先填写您是谁。" },
  "review.failed": {
    en: "Not saved: {reason}. It still waits. Try again.",
    zh: "未保存：{reason}。该水果仍待复核，请重试。",
  },
  "review.noPicture": { en: "The picture is not here yet.", zh: "图片尚未到达。" },
  "review.next": { en: "Next", zh: "接下来" },
  "review.close": { en: "Close", zh: "关闭" },

  // Shipments
  "shipment.last": {
    en: "Last: {shipment} from {partner}, {seen} of {expected} seen",
    zh: "上一车：{partner} 的 {shipment}，应到 {expected} 箱，已见 {seen} 箱",
  },
  "shipment.next": {
    en: {
      one: "Next: {shipment} from {partner}, {count} case",
      other: "Next: {shipment} from {partner}, {count} cases",
    },
    zh: "下一车：{partner} 的 {shipment}，共 {count} 箱",
  },
  "shipment.of": { en: "{seen} of {expected} cases seen", zh: "已见 {seen} 箱，共 {expected} 箱" },
  "shipment.toCome": { en: { one: "{count} to come", other: "{count} to come" }, zh: "还有 {count} 箱" },
  "shipment.missing": { en: "{count} missing", zh: "缺 {count} 箱" },
  "shipment.unexpected": { en: "{count} unexpected", zh: "多出 {count} 箱" },
  "shipment.inferred": {
    en: { one: "{count} by its pallet only", other: "{count} by their pallet only" },
    zh: "{count} 箱仅凭托盘推定",
  },
  "shipment.title": { en: "Shipment {shipment}", zh: "货单 {shipment}" },
  "shipment.from": { en: "from {partner}", zh: "来自 {partner}" },
  "shipment.to": { en: "to {partner}", zh: "发往 {partner}" },
  "shipment.return": { en: "return: quarantined until somebody has looked at it", zh: "退货：查验之前隔离" },
  "shipment.door": { en: "announced for {door}", zh: "预定 {door}" },
  "shipment.order": { en: "order {order}", zh: "订单 {order}" },
  "shipment.close": { en: "Back", zh: "返回" },
  "shipment.unknown": { en: "No shipment of this name was announced.", zh: "没有预报过这个货单。" },
  "shipment.end": { en: "Close it as it is", zh: "按现状结案" },
  "shipment.again": { en: "Wait for it again", zh: "重新等待" },
  "shipment.closed": { en: "Closed by {who} {ago}: {why}", zh: "{who} 于 {ago} 结案：{why}" },
  "shipment.lines": { en: "What was announced", zh: "预报内容" },
  "shipment.loose": { en: "On no pallet", zh: "不在托盘上" },
  "shipment.pallet": { en: "Pallet {pallet}", zh: "托盘 {pallet}" },
  "shipment.palletOf": { en: "{seen} of {expected}", zh: "{seen} / {expected}" },
  "shipment.more": { en: "Show {count} more", zh: "再显示 {count} 个" },
  "shipment.why": { en: "Why?", zh: "依据" },
  "shipment.whyOf": { en: "Why {epc} counts as this", zh: "{epc} 的依据" },
  "shipment.lot": { en: "lot {lot}", zh: "批次 {lot}" },
  "shipment.expires": { en: "until {day}", zh: "有效至 {day}" },
  "shipment.noWhy": { en: "Nothing of it was seen.", zh: "没有看到它的任何记录。" },
  "figure.expected": { en: "announced", zh: "预报" },
  "figure.seen": { en: "seen", zh: "已见" },
  "figure.inferred": { en: "by pallet", zh: "凭托盘" },
  "figure.missing": { en: "missing", zh: "缺少" },
  "figure.toCome": { en: "to come", zh: "未到" },
  "figure.unexpected": { en: "unexpected", zh: "未预报" },
  "figure.over": { en: "too many", zh: "超出" },
  "figure.wrong_pallet": { en: "wrong pallet", zh: "托盘不符" },
  "figure.wrong_door": { en: "wrong door", zh: "库门不符" },
  "figure.late": { en: "after closing", zh: "结案后到" },
  "case.seen": { en: "seen", zh: "已见" },
  "case.inferred": { en: "by its pallet only", zh: "仅凭托盘" },
  "case.expected": { en: "to come", zh: "未到" },
  "case.missing": { en: "missing", zh: "缺少" },
  "case.unexpected": { en: "unexpected", zh: "未预报" },
  "case.over": { en: "too many", zh: "超出" },
  "case.wrongPallet": { en: "came on {pallet}", zh: "实在托盘 {pallet}" },
  "case.wrongDoor": { en: "came by {door}", zh: "经由{door}" },
  "case.late": { en: "after closing", zh: "结案后到" },
  "evidence.row": {
    en: "Row {row} of the log, {time}, told by {agent}",
    zh: "日志第 {row} 行，{time}，由 {agent} 上报",
  },
  "evidence.place": { en: "At {place}", zh: "地点：{place}" },
  "evidence.told": { en: "{who} told it by hand", zh: "由 {who} 手工录入" },
  "evidence.inferred": {
    en: "Its own tag was not read; that of pallet {pallet} was",
    zh: "本箱标签未读到；读到的是托盘 {pallet}",
  },
  "evidence.passed": { en: "{direction}, {percent} sure, by {rule}", zh: "{direction}，把握 {percent}，依据：{rule}" },
  "evidence.reads": {
    en: "Read {inside} times inside and {outside} times outside",
    zh: "内侧读到 {inside} 次，外侧 {outside} 次",
  },
  "evidence.with": {
    en: { one: "Moved with {count} more tag", other: "Moved with {count} more tags" },
    zh: "与另外 {count} 个标签同行",
  },
  "evidence.straggler": { en: "It came late, or was hardly heard", zh: "落后于其他标签，或读到很少" },
  "rule.centroid": { en: "the times of its reads", zh: "读取时间" },
  "rule.phase": { en: "the phases of its reads", zh: "读取相位" },
  "rule.photo_eye": { en: "the photo-eyes", zh: "光电开关" },
  "rule.group": { en: "the pallet that it moved with", zh: "同行的托盘" },
  "rule.margin": { en: "too little evidence", zh: "证据不足" },
  "shipment.allSeen": { en: "all seen", zh: "全部已见" },

  // To do now
  "todo.title": { en: "To do now", zh: "当前待办" },
  "todo.empty": {
    en: "Nothing to do. What needs a person will appear here.",
    zh: "没有待办事项。需要人处理的事会出现在这里。",
  },
  "todo.more": { en: { one: "Show {count} more", other: "Show {count} more" }, zh: "再显示 {count} 项" },
  "todo.less": { en: "Show fewer", zh: "收起" },
  "todo.resolve": { en: "Resolve", zh: "处理" },
  "todo.resolveWhat": { en: "Resolve: {what}", zh: "处理：{what}" },
  "todo.who": { en: "Who are you?", zh: "您是谁？" },
  "todo.why": { en: "What was done?", zh: "做了什么？" },
  "todo.save": { en: "Save as resolved", zh: "保存为已处理" },
  "todo.release": { en: "Release the stock", zh: "放行库存" },
  "todo.keep": { en: "Keep it in quarantine", zh: "继续隔离" },
  "todo.saving": { en: "Saving", zh: "正在保存" },
  "todo.cancel": { en: "Not now", zh: "暂不处理" },
  "todo.failed": {
    en: "Not saved: {reason}. It is still open. Try again.",
    zh: "未保存：{reason}。此事仍未处理，请重试。",
  },
  "todo.noAnswer": { en: "the gateway did not answer", zh: "网关没有应答" },
  "todo.over": { en: "Not saved: it was dealt with before.", zh: "未保存：此事之前已处理。" },
  "todo.needBoth": { en: "Say who you are and what was done.", zh: "请填写您是谁以及做了什么。" },
  "todo.resolved": { en: "Resolved by {who} {ago}: {why}", zh: "{who} 于 {ago} 处理：{why}" },
  "todo.released": { en: "Released by {who} {ago}: {why}", zh: "{who} 于 {ago} 放行：{why}" },
  "todo.kept": { en: "Kept in quarantine by {who} {ago}: {why}", zh: "{who} 于 {ago} 决定继续隔离：{why}" },
  "todo.ended": { en: "It is over by itself.", zh: "已自行结束。" },
  "todo.claim": { en: "I take care of it", zh: "我来处理" },
  "todo.claimed": { en: "{who} takes care of it. ", zh: "{who} 正在处理。" },
  "todo.snooze": { en: "In an hour", zh: "一小时后再说" },
  "todo.snoozed": { en: "Put off until {time}, unless it gets worse. ", zh: "推迟到 {time}，除非恶化。" },
  "todo.reopened": { en: "It was resolved before, and opened again.", zh: "曾经处理过，又重新出现。" },
  "todo.undo": { en: "Undo", zh: "撤销" },
  "todo.undoWhat": { en: "Undo the resolution of: {what}", zh: "撤销处理：{what}" },
  "todo.undone": { en: "undone on the page", zh: "在页面上撤销" },
  "todo.notUndone": { en: "It cannot be undone", zh: "无法撤销" },
  "todo.lately": { en: "Lately resolved", zh: "最近处理" },
  "severity.wrong": { en: "act now", zh: "立即处理" },
  "severity.attention": { en: "check", zh: "请核对" },

  // What happened, then what to do
  "missing.what": {
    en: { one: "{count} case missing from {subject}", other: "{count} cases missing from {subject}" },
    zh: "{subject} 缺少 {count} 箱",
  },
  "missing.do": {
    en: "Look in the truck and behind the door. Then accept it as short, or carry in what was found.",
    zh: "请查看车厢和门后。然后按短缺接受，或把找到的货搬进来。",
  },
  "missing.doSeen": {
    en: "{seen} of {expected} were seen. Look in the truck and behind the door. Then accept it as short, or carry in what was found.",
    zh: "应到 {expected} 箱，已见 {seen} 箱。请查看车厢和门后。然后按短缺接受，或把找到的货搬进来。",
  },
  "missing.whatDoubtful": {
    en: {
      one: "{count} case of {subject} is in the books and may not be there",
      other: "{count} cases of {subject} are in the books and may not be there",
    },
    zh: "{subject} 有 {count} 箱已入账但可能不在",
  },
  "missing.doDoubtful": {
    en: "Too few cases of pallet {pallet} were read to believe in the others. Count that pallet.",
    zh: "托盘 {pallet} 读到的箱数过少，其余是否在场存疑。请清点该托盘。",
  },
  "short.what": {
    en: { one: "{subject} is {count} unit short", other: "{subject} is {count} units short" },
    zh: "{subject} 少 {count} 件",
  },
  "short.do": {
    en: "Count what came. Then book what was missed by hand, or close the shipment short.",
    zh: "请清点到货。然后手工补录漏记的货，或按短缺结案。",
  },
  "over.what": {
    en: { one: "{subject} has {count} unit too many", other: "{subject} has {count} units too many" },
    zh: "{subject} 多 {count} 件",
  },
  "over.do": {
    en: "Count what came and ask the partner. Then keep the surplus or send it back, and close the shipment.",
    zh: "请清点到货并询问伙伴。然后留下或退回多出的货，并将该车结案。",
  },
  "wrong_pallet.what": {
    en: {
      one: "{count} case of {subject} stands on another pallet than announced",
      other: "{count} cases of {subject} stand on other pallets than announced",
    },
    zh: "{subject} 有 {count} 箱所在托盘与预报不符",
  },
  "wrong_pallet.do": {
    en: "They are in the books. Put them on their own pallet, or leave them where they are and say so.",
    zh: "这些货已入账。请放回原定托盘，或保持不动并说明。",
  },
  "wrong_door.what": {
    en: { one: "{count} case of {subject} came by {door}", other: "{count} cases of {subject} came by {door}" },
    zh: "{subject} 有 {count} 箱从{door}进出",
  },
  "wrong_door.do": {
    en: "It was announced for {door}. The cases are in the books: check that they stand where they should.",
    zh: "原定从{door}进出。这些货已入账：请核对存放位置。",
  },
  "misplaced.what": {
    en: {
      one: "{count} case stands in {subject}, and somebody put it elsewhere",
      other: "{count} cases stand in {subject}, and somebody put them elsewhere",
    },
    zh: "{subject}有 {count} 箱，登记的存放位置却在别处",
  },
  "misplaced.do": {
    en: "The books follow the reader. Carry them to where they belong, or leave them there.",
    zh: "账目以读写器为准。请搬到应放的位置，或保持不动。",
  },
  "probably_gone.what": {
    en: { one: "{count} case in {subject} is probably gone", other: "{count} cases in {subject} are probably gone" },
    zh: "{subject}有 {count} 箱很可能已不在",
  },
  "probably_gone.do": {
    en: "A reader that sees such tags has not seen them for long. Look for them, and count.",
    zh: "本应读到它们的读写器已久未读到。请寻找并盘点。",
  },
  "expired.what": {
    en: {
      one: "{count} unit of {item}, lot {lot}, is past its date",
      other: "{count} units of {item}, lot {lot}, are past their date",
    },
    zh: "{item} 批次 {lot} 有 {count} 件已过期",
  },
  "expired.do": {
    en: "They are not sold any more. Take them out and book them as scrap.",
    zh: "已停止销售。请取出并按报废登记。",
  },
  "count_variance.what": {
    en: {
      one: "Count {subject} and the books do not agree about {count} product",
      other: "Count {subject} and the books do not agree about {count} products",
    },
    zh: "盘点 {subject} 有 {count} 项与账面不符",
  },
  "count_variance.do": {
    en: "Count again, or look into it and say why. Then somebody else reviews it.",
    zh: "请重新盘点，或查明并说明原因，然后由另一人审核。",
  },
  "disk_low.what": { en: "The gateway's disk is nearly full", zh: "网关磁盘将满" },
  "disk_low.do": {
    en: "Ask IT to make room now. When it is full, nothing can be recorded until there is room.",
    zh: "请让信息人员立即腾出空间。磁盘一满就无法记录，直到有空间为止。",
  },
  "unexpected.what": {
    en: { one: "{count} case came with {subject} unannounced", other: "{count} cases came with {subject} unannounced" },
    zh: "{subject} 多到 {count} 箱未预报的货",
  },
  "unexpected.whatLate": {
    en: {
      one: "{count} case of {subject} came after it was closed",
      other: "{count} cases of {subject} came after it was closed",
    },
    zh: "{subject} 结案后又到 {count} 箱",
  },
  "unexpected.do": {
    en: "Set them apart and read their labels. Then take them into stock or send them back.",
    zh: "请单独放置并查看标签。然后入库或退回。",
  },
  "unknown_direction.what": {
    en: {
      one: "{count} case went through {subject} with no clear direction",
      other: "{count} cases went through {subject} with no clear direction",
    },
    zh: "{subject} 有 {count} 箱通过但方向不明",
  },
  "unknown_direction.do": {
    en: "Look on which side the cases stand. Carry them through once more if they are not where the stock says.",
    zh: "请查看货物在哪一侧。若与库存不符，请再搬过一次。",
  },
  "empty_pass.what": {
    en: {
      one: "{count} load went through {subject} and no tag was read",
      other: "{count} loads went through {subject} and no tag was read",
    },
    zh: "{subject} 有 {count} 次通过未读到任何标签",
  },
  "empty_pass.do": {
    en: "Find the load and look at its tags: it is not in the books. Read it by hand, or put tags on it.",
    zh: "请找到该货并检查标签：它尚未入账。请手持扫描，或补贴标签。",
  },
  "device_lost.what": { en: "{subject} does not answer", zh: "{subject} 没有应答" },
  "device_lost.do": {
    en: "Check its power and its network cable. What it watches is not known until it is back.",
    zh: "请检查电源和网线。恢复之前，它所看守的情况不明。",
  },
  "agent_silent.what": { en: "Nothing is heard from {subject}", zh: "收不到 {subject} 的消息" },
  "agent_silent.do": {
    en: "Check that its computer runs and reaches the broker. It keeps what it sees and sends it when it is back.",
    zh: "请检查其计算机是否在运行并能连到消息代理。它会保存所见，恢复后补发。",
  },
  "data_lost.what": { en: "Events of {subject} were lost", zh: "{subject} 的部分事件已丢失" },
  "data_lost.do": {
    en: "Count what it watches: the stock there may be wrong.",
    zh: "请盘点它所看守的区域：那里的库存可能不准。",
  },
  "data_lost.whatFruit": {
    en: {
      one: "{count} fruit was judged by {subject} and never told",
      other: "{count} fruit were judged by {subject} and never told",
    },
    zh: "{subject} 已判定的 {count} 个水果未上报",
  },
  "data_lost.doLots": {
    en: "The defect rate of {lots} lacks them. Look at the fruit before you trust it.",
    zh: "{lots} 的缺陷率缺少这些水果。采信之前，请先查看实物。",
  },
  "temperature.high": {
    en: "{subject} is too warm: {value}\u00a0°C, at most {max}\u00a0°C",
    zh: "{subject} 过热：{value}\u00a0°C，上限 {max}\u00a0°C",
  },
  "temperature.low": {
    en: "{subject} is too cold: {value}\u00a0°C, at least {min}\u00a0°C",
    zh: "{subject} 过冷：{value}\u00a0°C，下限 {min}\u00a0°C",
  },
  "temperature.what": { en: "{subject} left its temperature range", zh: "{subject} 温度超出范围" },
  "temperature.do": {
    en: "Close the doors and check the cooling. Then check the goods nearest to the door.",
    zh: "请关好门并检查制冷设备。然后检查靠门最近的货物。",
  },
  "excursion.high": {
    en: "{subject} was too warm for {minutes} min: up to {worst}\u00a0°C, at most {max}\u00a0°C",
    zh: "{subject} 过热已 {minutes} 分钟：最高 {worst}\u00a0°C，上限 {max}\u00a0°C",
  },
  "excursion.low": {
    en: "{subject} was too cold for {minutes} min: down to {worst}\u00a0°C, at least {min}\u00a0°C",
    zh: "{subject} 过冷已 {minutes} 分钟：最低 {worst}\u00a0°C，下限 {min}\u00a0°C",
  },
  "excursion.humidity": {
    en: "The air in {subject} was at {worst}\u00a0% for {minutes} min, {min} to {max}\u00a0% are right",
    zh: "{subject} 湿度超限已 {minutes} 分钟：{worst}\u00a0%，应为 {min} 至 {max}\u00a0%",
  },
  "excursion.what": { en: "{subject} was outside its limits for too long", zh: "{subject} 超限时间过长" },
  "excursion.do": {
    en: "Close the doors and check the cooling. Then check the goods that stood there: it took from their life.",
    zh: "请关好门并检查制冷设备。然后检查放在那里的货物：其保质期已缩短。",
  },
  "door_open.what": { en: "{subject} stands open too long", zh: "{subject} 开门时间过长" },
  "door_open.do": {
    en: "Close it. If it is closed, ask for its contact to be repaired.",
    zh: "请把门关好。若门已关好，请报修门磁。",
  },
  "sensor_fault.what": { en: "What {subject} reads cannot be true", zh: "{subject} 的读数不可信" },
  "sensor_fault.silent": { en: "{subject} tells nothing any more", zh: "{subject} 不再上报读数" },
  "sensor_fault.do": {
    en: "Check the sensor and its wire. Until it is back, look at a thermometer there and write it down.",
    zh: "请检查传感器及其接线。恢复之前，请查看现场温度计并记录。",
  },
  "clock_stepped.what": { en: "The clock of {subject} jumped", zh: "{subject} 的时钟发生跳变" },
  "clock_stepped.do": {
    en: "If it happens again, ask IT to set up time synchronisation on it.",
    zh: "若再次发生，请让信息人员为其设置时间同步。",
  },
  "bad_message.what": {
    en: {
      one: "{count} message from {subject} cannot be read",
      other: "{count} messages from {subject} cannot be read",
    },
    zh: "{subject} 有 {count} 条消息无法读取",
  },
  "bad_message.do": {
    en: "They are kept aside. Ask IT whether it runs the same version as the gateway.",
    zh: "这些消息已另行保存。请让信息人员确认其版本与网关一致。",
  },
  "unknown_line.what": {
    en: "{count} fruit came from {subject}, a line that the site file does not name",
    zh: "分选线 {subject} 上报了 {count} 个水果，但站点文件中没有这条线",
  },
  "unknown_line.do": {
    en: "They are counted, but no card shows that line. Ask IT to add it to the site file, or to put its name right.",
    zh: "这些水果已计数，但页面上没有这条线。请让信息人员将其加入站点文件，或更正其名称。",
  },
  "negative_stock.what": { en: "{subject} stands below zero", zh: "{subject} 库存为负" },
  "negative_stock.do": {
    en: "More went out than was known to be here. Count it and look for passes that were missed.",
    zh: "出库多于已知库存。请盘点，并查找漏读的通过。",
  },

  "quality.what": { en: "Lot {subject} is over its limit", zh: "批次 {subject} 超限" },
  "quality.whatRate": {
    en: "Lot {subject} is over its limit: {rate} defective, at most {limit}",
    zh: "批次 {subject} 超限：缺陷率 {rate}，上限 {limit}",
  },
  "quality.wasRate": {
    en: "Lot {subject} was over its limit: {rate} defective, at most {limit}; {now} now",
    zh: "批次 {subject} 曾超限：缺陷率 {rate}，上限 {limit}；现为 {now}",
  },
  "quality.do": {
    en: "Its stock is in quarantine and is not sold. Look at its fruit, sort it again or downgrade it. Then release it or keep it there.",
    zh: "其库存已隔离，不会出售。请查看水果，重新分选或降级。然后放行或继续隔离。",
  },
  "quality.doShipped": {
    en: {
      one: "Its stock is in quarantine and is not sold. {count} case of it had left before: call who got it. Look at its fruit, sort it again or downgrade it. Then release it or keep it there.",
      other:
        "Its stock is in quarantine and is not sold. {count} cases of it had left before: call who got them. Look at its fruit, sort it again or downgrade it. Then release it or keep it there.",
    },
    zh: "其库存已隔离，不会出售。此前已有 {count} 箱出库：请联系收货方。请查看水果，重新分选或降级。然后放行或继续隔离。",
  },
  "drift.what": {
    en: "{subject} sees something else than its model learned",
    zh: "{subject} 的画面偏离了模型所学",
  },
  "drift.do": {
    en: "Clean the lens and check the lamps. If it is the fruit that is new, answer the review and train with it.",
    zh: "请清洁镜头并检查灯光。若是水果本身不同，请完成复核并据此训练。",
  },
  "quarantine_shipped.what": {
    en: {
      one: "{count} case of lot {subject} went out though it is in quarantine",
      other: "{count} cases of lot {subject} went out though it is in quarantine",
    },
    zh: "批次 {subject} 已隔离，却有 {count} 箱出库",
  },
  "quarantine_shipped.do": {
    en: "Stop the truck or call the customer, and bring it back. Then find out why nobody held it.",
    zh: "请拦下货车或联系客户，将货物追回。然后查明为何未被拦住。",
  },
  "gate_missed.what": {
    en: {
      one: "{count} verdict came too late for the gate of {subject}",
      other: "{count} verdicts came too late for the gate of {subject}",
    },
    zh: "{subject} 有 {count} 个判定来不及送达剔除闸",
  },
  "gate_missed.do": {
    en: "The gate pushed that fruit off; none of it passed as good. If it goes on, slow the belt or relieve the computer.",
    zh: "剔除闸已将这些水果剔除，没有当作合格放行。若持续出现，请放慢传送带或减轻计算机负载。",
  },

  // What people usually did; chosen with one touch
  "did.short": { en: "Accepted as short", zh: "按短缺接受" },
  "did.found": { en: "Found and carried in", zh: "找到并已搬入" },
  "did.stocked": { en: "Taken into stock", zh: "已入库" },
  "did.returned": { en: "Sent back", zh: "已退回" },
  "did.inside": { en: "Looked: they are inside", zh: "已查看：在里侧" },
  "did.outside": { en: "Looked: they are outside", zh: "已查看：在外侧" },
  "did.tagged": { en: "Tagged and carried through", zh: "已补贴标签并重新通过" },
  "did.nothing": { en: "Looked: no goods", zh: "已查看：没有货物" },
  "did.repaired": { en: "Repaired", zh: "已修复" },
  "did.reported": { en: "Reported to IT", zh: "已报告信息人员" },
  "did.counted": { en: "Counted", zh: "已盘点" },
  "did.doorClosed": { en: "Door closed", zh: "门已关好" },
  "did.goodsChecked": { en: "Goods checked", zh: "货物已检查" },
  "did.resorted": { en: "Sorted again", zh: "已重新分选" },
  "did.downgraded": { en: "Downgraded", zh: "已降级" },
  "did.unfit": { en: "Looked: not fit for sale", zh: "已查看：不宜出售" },
  "did.lotLooked": { en: "Looked at the fruit", zh: "已查看水果" },
  "did.lens": { en: "Lens cleaned", zh: "已清洁镜头" },
  "did.lamps": { en: "Lamps put right", zh: "灯光已调好" },
  "did.calledBack": { en: "Called back", zh: "已追回" },
  "did.customerTold": { en: "Told the customer", zh: "已告知客户" },
  "did.carried": { en: "Carried there", zh: "已搬过去" },
  "did.restacked": { en: "Put on its own pallet", zh: "已放回原定托盘" },
  "did.scrapped": { en: "Taken out and scrapped", zh: "已取出报废" },
  "did.slowed": { en: "Belt slowed", zh: "已放慢传送带" },

  // Stock
  "item.unidentified": { en: "unlisted cases", zh: "未登记的货箱" },
  "stock.title": { en: "Stock", zh: "库存" },
  "stock.item": { en: "Item", zh: "货品" },
  "stock.onHand": { en: "On hand", zh: "现有" },
  "stock.reorder": { en: "Reorder at", zh: "补货点" },
  "stock.onOrder": { en: "On order", zh: "在途" },
  "stock.trend": { en: "Trend", zh: "走势" },
  "stock.trendOf": {
    en: "Stock of {item}, from {low} to {high}, now {now}",
    zh: "{item} 的库存走势，{low} 到 {high}，现为 {now}",
  },
  "stock.inZone": { en: "{zone} {units}", zh: "{zone} {units}" },
  "stock.table": { en: "Units of each item by zone", zh: "各区各货品的数量" },
  "stock.low": { en: "reorder", zh: "需补货" },
  "stock.coming": { en: "low, on order", zh: "偏低，已订" },
  "stock.negative": { en: "below zero", zh: "为负" },
  "stock.quarantined": { en: "{count} in quarantine", zh: "隔离 {count}" },
  "stock.empty": {
    en: "Nothing is counted yet. Bring a case through a door, or send the opening balance to /api/v1/items.",
    zh: "尚未计入任何货品。请把一箱货搬过库门，或将期初库存发送到 /api/v1/items。",
  },

  // Zones
  "map.title": { en: "Where it stands", zh: "区位" },
  "map.summary": { en: "{zone}: {units} cases.", zh: "{zone}：{units} 箱。" },
  "map.cases": { en: "cases", zh: "箱" },
  "map.degrees": { en: "{value}\u00a0°C", zh: "{value}\u00a0°C" },

  // Conditions
  "conditions.title": { en: "Conditions", zh: "环境" },
  "conditions.limits": { en: "{min} to {max}\u00a0{unit}", zh: "{min} 至 {max}\u00a0{unit}" },
  "conditions.within": { en: "within limits", zh: "正常" },
  "conditions.above": { en: "too high for {age}", zh: "过高 {age}" },
  "conditions.below": { en: "too low for {age}", zh: "过低 {age}" },
  "conditions.silent": { en: "no reading since {time}", zh: "自 {time} 起无读数" },
  "conditions.faulty": { en: "sensor fault since {time}", zh: "自 {time} 起传感器故障" },
  "conditions.lately": { en: "24\u00a0h: {low} to {high}\u00a0{unit}", zh: "24 小时：{low} 至 {high}\u00a0{unit}" },
  "conditions.latelyOut": { en: "{minutes} min outside", zh: "超限 {minutes} 分钟" },
  "conditions.trace": {
    en: "{place}: now {value} {unit}, lately between {low} and {high} {unit}",
    zh: "{place}：现为 {value} {unit}，近来在 {low} 与 {high} {unit} 之间",
  },
  "conditions.empty": {
    en: "No sensor has reported. Give a register a zone in the site file.",
    zh: "尚无传感器读数。请在站点文件中为寄存器指定区域。",
  },
  "quantity.temperature_c": { en: "temperature", zh: "温度" },
  "quantity.humidity_pct": { en: "humidity", zh: "湿度" },
  "quantity.weight_kg": { en: "weight", zh: "重量" },
  "quantity.door_open": { en: "door", zh: "门" },
  "quantity.open": { en: "open", zh: "开" },
  "quantity.closed": { en: "closed", zh: "关" },

  // Orders
  "orders.title": { en: "Orders", zh: "订单" },
  "orders.requested": { en: "requested", zh: "已申请" },
  "orders.placed": { en: "placed", zh: "已下单" },
  "orders.shipped": { en: "on the way", zh: "运输中" },
  "orders.received": { en: "received", zh: "已收货" },
  "orders.cancelled": { en: "cancelled", zh: "已取消" },
  "orders.units": { en: "{units} units", zh: "{units} 件" },
  "orders.partly": { en: "{received} of {units} units", zh: "{received} / {units} 件" },
  "orders.noNumber": { en: "waiting for the cloud", zh: "等待云端" },
  "orders.empty": {
    en: "No order. One is requested by itself when a stock falls to its reorder point.",
    zh: "没有订单。库存降到补货点时会自动申请。",
  },
  "orders.older": { en: { one: "and {count} older", other: "and {count} older" }, zh: "另有 {count} 个更早的" },

  // Devices
  "devices.title": { en: "Devices", zh: "设备" },
  "devices.allWell": { en: "{count} connected", zh: "{count} 台已连接" },
  "devices.some": { en: "{well} of {count} connected", zh: "{count} 台中 {well} 台已连接" },
  "device.connected": { en: "connected", zh: "已连接" },
  "device.lost": { en: "lost", zh: "已断开" },
  "device.blind": { en: "blind", zh: "失明" },
  "device.drifted": { en: "drifted", zh: "画面异常" },
  "device.silent": { en: "silent", zh: "无消息" },
  "device.unknown": { en: "not heard yet", zh: "尚无消息" },
  "device.heard": { en: "heard {ago}", zh: "{ago}有消息" },
  "device.for": { en: "for {age}", zh: "已 {age}" },
  "device.waiting": { en: "{count} in its outbox", zh: "发件箱 {count} 条" },
  "device.present": {
    en: { one: "{count} tag in {zone}", other: "{count} tags in {zone}" },
    zh: "{zone}有 {count} 个标签",
  },
  "device.unrecorded": {
    en: { one: "{count} line not recorded", other: "{count} lines not recorded" },
    zh: "{count} 行未能录制",
  },
  "device.clock": { en: "clock {offset} s", zh: "时钟 {offset} 秒" },
  "kind.agent": { en: "agent", zh: "代理" },
  "kind.reader": { en: "reader", zh: "读写器" },
  "kind.modbus": { en: "controller", zh: "控制器" },
  "kind.camera": { en: "camera", zh: "相机" },
  "devices.empty": {
    en: "No device has been heard. Start the edge agent: truecount edge --config FILE",
    zh: "尚未收到任何设备的消息。请启动边缘代理：truecount edge --config FILE",
  },

  // Passes
  "passes.title": { en: "Last passes", zh: "最近通过" },
  "passes.inbound": { en: "in", zh: "进" },
  "passes.outbound": { en: "out", zh: "出" },
  "passes.unknown": { en: "unknown", zh: "不明" },
  "passes.seen": { en: "seen", zh: "见到" },
  "passes.left": { en: "gone", zh: "已离开" },
  "passes.sure": { en: "{percent} sure", zh: "把握 {percent}" },
  "passes.with": { en: { one: "with {count} more", other: "with {count} more" }, zh: "及另外 {count} 个" },
  "passes.late": { en: { one: ", {count} late", other: ", {count} late" }, zh: "，{count} 个落后" },
  "passes.unread": { en: "no tag was read", zh: "未读到标签" },
  "passes.pallet": { en: "pallet", zh: "托盘标签" },
  "passes.untitled": { en: "unlisted tag", zh: "未登记标签" },
  "passes.empty": {
    en: "Nothing has passed yet. Carry a tagged case through a door.",
    zh: "尚无货物通过。请把一箱带标签的货搬过库门。",
  },
} as const satisfies Record<string, Message>;

type Table = typeof messages;
export type Key = keyof Table;

type Stray = Key & `stray.${string}`;

/** The words for why a tag was no pass. */
export const strayKey = (reason: string): Stray => {
  const key = `stray.${reason}`;
  return key in messages ? (key as Stray) : "stray.other";
};

type Forms<M> = M extends string ? M : M[keyof M];
type Holes<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Holes<Rest> : never;
/** Names of the holes of a message. */
export type HolesOf<K extends Key> = Holes<Forms<Table[K]["en"]>>;

type Uneven = {
  [K in Key]: [HolesOf<K>] extends [Holes<Table[K]["zh"]>]
    ? [Holes<Table[K]["zh"]>] extends [HolesOf<K>]
      ? never
      : K
    : K;
}[Key];
/** Both languages of every message have the same holes; the keys where they do not are named by the type error. */
export const even: [Uneven] extends [never] ? true : Uneven = true;
